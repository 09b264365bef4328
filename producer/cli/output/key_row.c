#include "cli/output/key_row.h"

#include <string.h>

#include "cli/output/json_row.h"

const struct table_column key_row_columns[KEY_ROW_COLUMNS] = {
    {.head = "id"},
    {.head = "name"},
    {.head = "scopes"},
    {.head = "collections", .most = 32},
    {.head = "rate", .right = true},
    {.head = "burst", .right = true},
    {.head = "created"},
    {.head = "revoked"},
};

/* 0 leaves it to the gateway. */
static void add_number(struct table *table, double number)
{
	if (number > 0)
		table_add(table, "%.10g", number);
	else
		table_add_text(table, "");
}

/* With commas between them. */
static void add_collections(struct table *table, const struct key_collections *collections)
{
	struct key_collections shown = *collections;

	for (char *end = shown.text; (end = strchr(end, '\n'));)
		*end = ',';
	table_add_text(table, shown.text);
}

void key_row_add(struct table *table, const struct api_key *key)
{
	char scopes[KEYS_SCOPES_SIZE];

	keys_scopes_print(key->scopes, scopes, sizeof(scopes));
	table_add_text(table, key->id);
	table_add_text(table, key->name);
	table_add_text(table, scopes);
	add_collections(table, &key->collections);
	add_number(table, key->rate);
	add_number(table, key->burst);
	table_add_time(table, key->created_at_ms);
	table_add_time(table, key->revoked_at_ms);
}

static json_t *scopes_json(unsigned scopes)
{
	char text[KEYS_SCOPES_SIZE];
	json_t *list = json_array();
	char *rest = text;
	char *word;

	keys_scopes_print(scopes, text, sizeof(text));
	while (list && (word = strsep(&rest, ",")))
		json_array_append_new(list, json_string(word));
	return list;
}

static json_t *collections_json(const struct key_collections *collections)
{
	char name[JOB_MAX_COLLECTION_BYTES + 1];
	json_t *list = json_array();
	const char *place = NULL;

	while (list && key_collections_next(collections, &place, name))
		json_array_append_new(list, json_string(name));
	return list;
}

static json_t *number_json(double number)
{
	return number > 0 ? json_real(number) : json_null();
}

int key_row_json(const struct api_key *key, FILE *out)
{
	return json_row_print(json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", key->id, "name",
					json_row_text(key->name), "scopes", scopes_json(key->scopes), "collections",
					collections_json(&key->collections), "rate", number_json(key->rate), "burst",
					number_json(key->burst), "created_at", json_row_time(key->created_at_ms),
					"revoked_at", json_row_time(key->revoked_at_ms)),
			      false, out);
}
