#include "cli/output/setting_row.h"

#include <inttypes.h>

#include "cli/output/json_row.h"

const struct table_column setting_row_columns[SETTING_ROW_COLUMNS] = {
    {.head = "setting"},
    {.head = "value"},
    {.head = "for"},
    {.head = "revision", .right = true},
};
const struct table_column setting_row_change_columns[SETTING_ROW_CHANGE_COLUMNS] = {
    {.head = "revision", .right = true},
    {.head = "time"},
    {.head = "who"},
    {.head = "for"},
    {.head = "setting"},
    {.head = "before"},
    {.head = "after"},
};

static const char *shown(const char *program)
{
	return program[0] != '\0' ? program : "all";
}

void setting_row_add(struct table *table, const struct central_setting *setting)
{
	table_add_text(table, setting->key);
	table_add_text(table, setting->value);
	table_add_text(table, shown(setting->program));
	table_add(table, "%" PRIu64, setting->revision);
}

void setting_row_add_change(struct table *table, const struct central_change *change)
{
	table_add(table, "%" PRIu64, change->revision);
	table_add_time(table, change->at_ms);
	table_add_text(table, change->who);
	table_add_text(table, shown(change->program));
	table_add_text(table, change->key);
	table_add_text(table, change->before ? change->before : "");
	table_add_text(table, change->after ? change->after : "");
}

int setting_row_json(const struct central_setting *setting, FILE *out)
{
	return json_row_print(json_pack("{s:s, s:s, s:o, s:I}", "setting", setting->key, "value", setting->value,
					"program", json_row_text(setting->program), "revision",
					(json_int_t)setting->revision),
			      false, out);
}

int setting_row_change_json(const struct central_change *change, FILE *out)
{
	return json_row_print(json_pack("{s:I, s:o, s:s, s:o, s:s, s:s?, s:s?}", "revision",
					(json_int_t)change->revision, "at", json_row_time(change->at_ms), "who",
					change->who, "program", json_row_text(change->program), "setting", change->key,
					"before", change->before, "after", change->after),
			      false, out);
}
