#include "cli/output/endpoint_row.h"

#include "cli/output/json_row.h"

const struct table_column endpoint_row_columns[ENDPOINT_ROW_COLUMNS] = {
    {.head = "endpoint"}, {.head = "secret"}, {.head = "rotated"}, {.head = "disabled"}, {.head = "reason"},
};

/* Which secrets callbacks are signed with. */
static const char *secrets_of(const struct callback_endpoint *endpoint, int64_t now_ms)
{
	if (endpoint->secret[0] == '\0')
		return "common";
	return endpoints_is_rotating(endpoint, now_ms) ? "rotating" : "own";
}

void endpoint_row_add(struct table *table, const struct callback_endpoint *endpoint, int64_t now_ms)
{
	table_add_text(table, endpoint->prefix);
	table_add_text(table, secrets_of(endpoint, now_ms));
	table_add_time(table, endpoint->rotated_at_ms);
	table_add_time(table, endpoint->disabled_at_ms);
	table_add_text(table, endpoint->reason);
}

int endpoint_row_json(const struct callback_endpoint *endpoint, int64_t now_ms, FILE *out)
{
	return json_row_print(
	    json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "endpoint", json_row_text(endpoint->prefix), "secret",
		      secrets_of(endpoint, now_ms), "created_at", json_row_time(endpoint->created_at_ms), "rotated_at",
		      json_row_time(endpoint->rotated_at_ms), "disabled_at", json_row_time(endpoint->disabled_at_ms),
		      "reason", json_row_text(endpoint->reason)),
	    false, out);
}
