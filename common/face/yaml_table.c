#include "face/yaml_table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int yaml_table_refuse(const struct yaml_reader *reader, yaml_mark_t at, const char *why)
{
	return error_set(reader->err, ERROR_MODEL, "%s:%zu:%zu: %s%s%s", reader->path, at.line + 1, at.column + 1,
			 reader->key ? reader->key : "", reader->key ? ": " : "", why);
}

const char *yaml_table_text(const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0)
		return NULL;
	for (size_t i = 0; i < node->data.scalar.length; i++) {
		if (node->data.scalar.value[i] < 0x20 || node->data.scalar.value[i] == 0x7f)
			return NULL;
	}
	return (const char *)node->data.scalar.value;
}

int yaml_table_parse_number(const yaml_node_t *node, double *number)
{
	const char *text = yaml_table_text(node);
	char *end;

	if (!text || strspn(text, "0123456789+-.eE") != strlen(text))
		return -EINVAL;
	double value = strtod(text, &end);
	if (*end != '\0' || !isfinite(value))
		return -EINVAL;
	*number = value;
	return 0;
}

int yaml_table_number(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *node, double *number)
{
	double value;
	char why[96];

	if (yaml_table_parse_number(node, &value))
		return yaml_table_refuse(reader, node->start_mark, "a number is expected");
	if (value < row->min || value > row->max) {
		snprintf(why, sizeof(why), "%g is outside %g … %g", value, row->min, row->max);
		return yaml_table_refuse(reader, node->start_mark, why);
	}
	*number = value;
	return 0;
}

int yaml_table_read_float(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	double number;
	int rc = yaml_table_number(reader, row, value, &number);

	if (rc)
		return rc;
	*(float *)(draft + row->offset) = (float)number;
	return 0;
}

static int read_whole(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *node, int *whole)
{
	double number;
	int rc = yaml_table_number(reader, row, node, &number);

	if (rc)
		return rc;
	if (number != floor(number))
		return yaml_table_refuse(reader, node->start_mark, "a whole number is expected");
	*whole = (int)number;
	return 0;
}

int yaml_table_read_int(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	return read_whole(reader, row, value, (int *)(draft + row->offset));
}

int yaml_table_list_length(struct yaml_reader *reader, const yaml_node_t *list, size_t min, size_t max)
{
	char why[96];

	if (list->type != YAML_SEQUENCE_NODE)
		return yaml_table_refuse(reader, list->start_mark, "a list is expected");
	size_t length = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
	if (length < min || length > max) {
		snprintf(why, sizeof(why), "the list has %zu elements, %zu to %zu are allowed", length, min, max);
		return yaml_table_refuse(reader, list->start_mark, why);
	}
	return (int)length;
}

const yaml_node_t *yaml_table_list_item(const struct yaml_reader *reader, const yaml_node_t *list, int index)
{
	return yaml_document_get_node(reader->document, list->data.sequence.items.start[index]);
}

int yaml_table_read_ints(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	int *into = (int *)(draft + row->offset);
	int length = yaml_table_list_length(reader, value, 1, row->capacity);

	if (length < 0)
		return length;
	for (int i = 0; i < length; i++) {
		int rc = read_whole(reader, row, yaml_table_list_item(reader, value, i), &into[i]);
		if (rc)
			return rc;
	}
	*(int *)(draft + row->count_offset) = length;
	return 0;
}

int yaml_table_read_text(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	const char *text = yaml_table_text(value);

	if (!text)
		return yaml_table_refuse(reader, value->start_mark, "a text is expected");
	if (strlen(text) >= row->capacity)
		return yaml_table_refuse(reader, value->start_mark, "the text is too long");
	if (row->word && strcmp(text, row->word) != 0) {
		char why[96];

		snprintf(why, sizeof(why), "only \"%s\" is known", row->word);
		return yaml_table_refuse(reader, value->start_mark, why);
	}
	memcpy(draft + row->offset, text, strlen(text) + 1);
	return 0;
}

static const struct yaml_row *find_row(const struct yaml_row *rows, size_t count, const char *key)
{
	for (size_t i = 0; key && i < count; i++) {
		if (strcmp(rows[i].key, key) == 0)
			return &rows[i];
	}
	return NULL;
}

static int read_mapping(struct yaml_reader *reader, const yaml_node_t *root, const struct yaml_row *rows, size_t count,
			char *draft)
{
	uint64_t seen = 0;

	for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(reader->document, p->key);
		const struct yaml_row *row;

		reader->key = yaml_table_text(key);
		row = find_row(rows, count, reader->key);
		if (!row)
			return yaml_table_refuse(reader, key->start_mark, "unknown key");
		if (seen & 1ull << (row - rows))
			return yaml_table_refuse(reader, key->start_mark, "the key stands here twice");
		seen |= 1ull << (row - rows);
		int rc = row->read(reader, row, yaml_document_get_node(reader->document, p->value), draft);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < count; i++) {
		reader->key = rows[i].key;
		if (!(seen & 1ull << i) && !rows[i].is_optional)
			return yaml_table_refuse(reader, root->end_mark, "the key is missing");
	}
	return 0;
}

static int read_document(struct yaml_reader *reader, const struct yaml_row *rows, size_t count, char *draft)
{
	const yaml_node_t *root = yaml_document_get_root_node(reader->document);
	yaml_mark_t start = {0};

	if (!root)
		return yaml_table_refuse(reader, start, "the file is empty");
	if (root->type != YAML_MAPPING_NODE)
		return yaml_table_refuse(reader, root->start_mark, "a mapping of keys to values is expected");
	return read_mapping(reader, root, rows, count, draft);
}

int yaml_table_read(const char *path, const uint8_t *text, size_t size, const struct yaml_row *rows, size_t count,
		    void *draft, struct error *err)
{
	yaml_parser_t parser;
	yaml_document_t document;
	struct yaml_reader reader = {.path = path, .document = &document, .err = err};
	int rc;

	if (!yaml_parser_initialize(&parser))
		return error_set(err, ERROR_INTERNAL, "%s: no memory for a YAML parser", path);
	yaml_parser_set_input_string(&parser, text, size);
	if (yaml_parser_load(&parser, &document)) {
		rc = read_document(&reader, rows, count, draft);
		yaml_document_delete(&document);
	} else {
		rc = yaml_table_refuse(&reader, parser.problem_mark,
				       parser.problem ? parser.problem : "this is no YAML");
	}
	yaml_parser_delete(&parser);
	return rc;
}
