#include "cli/input/row_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

struct row_json {
	const struct row_form *form;
	json_t *object; /* what the row's strings belong to */
	char numbers[ROW_COLUMN_COUNT][24];
};

struct row_json *row_json_new(const struct row_form *form)
{
	struct row_json *json = calloc(1, sizeof(*json));

	if (json)
		json->form = form;
	return json;
}

void row_json_free(struct row_json *json)
{
	if (!json)
		return;
	json_decref(json->object);
	free(json);
}

static int read_column(struct row_json *json, enum row_column column, struct row *row, struct error *err)
{
	const char *name = row_column_name(column);
	const json_t *value = json_object_get(json->object, name);

	if (!value || json_is_null(value))
		return 0;
	if (json_is_string(value)) {
		row_set(row, column, json_string_value(value));
		return 0;
	}
	if (json_is_integer(value) && (column == ROW_ID || column == ROW_USER_ID)) {
		snprintf(json->numbers[column], sizeof(json->numbers[column]), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		row_set(row, column, json->numbers[column]);
		return 0;
	}
	return error_set(err, ERROR_INVALID_JOB, "%s: expected a string", name);
}

int row_json_read(struct row_json *json, const char *text, size_t length, struct row *row, struct error *err)
{
	json_error_t fault;

	json_decref(json->object);
	json->object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &fault);
	if (!json->object)
		return error_set(err, ERROR_INVALID_JOB, "column %d: %s", fault.column, fault.text);
	if (!json_is_object(json->object))
		return error_set(err, ERROR_INVALID_JOB, "expected one JSON object a line");
	for (int column = 0; column < ROW_COLUMN_COUNT; column++) {
		if (!row_form_knows(json->form, column))
			continue;
		int r = read_column(json, column, row, err);
		if (r < 0)
			return r;
	}
	return 0;
}
