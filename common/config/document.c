#include "config/document.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the last one read; always to be deleted */
	const char *name;
	const uint8_t *text;
	size_t size;
	struct document document;
	struct error *err;
	char key[DOCUMENT_KEY_MAX]; /* of the entry or map that is being read */
};

static unsigned line_of(yaml_mark_t mark)
{
	return (unsigned)mark.line + 1;
}

static unsigned column_of(yaml_mark_t mark)
{
	return (unsigned)mark.column + 1;
}

static int fault_at(struct reader *r, yaml_mark_t mark, const char *what)
{
	return error_set(r->err, ERROR_CONFIG, "%s:%u:%u: %s%s%s", r->name, line_of(mark), column_of(mark), r->key,
			 r->key[0] != '\0' ? ": " : "", what);
}

static int fault(struct reader *r, const char *what)
{
	return fault_at(r, r->event.start_mark, what);
}

static int out_of_memory(struct reader *r)
{
	error_set(r->err, ERROR_CONFIG, "%s: out of memory", r->name);
	return -ENOMEM;
}

/* Bytes that are no text are reported by offset; everything else by line and column. */
static int syntax_fault(struct reader *r)
{
	const char *what = r->parser.problem ? r->parser.problem : "not YAML";
	unsigned line = 1;

	if (r->parser.error == YAML_MEMORY_ERROR)
		return out_of_memory(r);
	if (r->parser.error != YAML_READER_ERROR)
		return fault_at(r, r->parser.problem_mark, what);
	for (size_t i = 0; i < r->parser.problem_offset && i < r->size; i++)
		line += r->text[i] == '\n';
	return error_set(r->err, ERROR_CONFIG, "%s:%u: %s (byte %zu)", r->name, line, what, r->parser.problem_offset);
}

/* Reads the next event and refuses what a configuration has no use for. */
static int next_event(struct reader *r)
{
	yaml_event_delete(&r->event);
	if (!yaml_parser_parse(&r->parser, &r->event))
		return syntax_fault(r);
	switch (r->event.type) {
	case YAML_ALIAS_EVENT:
		return fault(r, "aliases are not supported");
	case YAML_SEQUENCE_START_EVENT:
		return fault(r, "a list is not expected here");
	case YAML_SCALAR_EVENT:
		if (r->event.data.scalar.anchor || r->event.data.scalar.tag)
			return fault(r, "anchors and tags are not supported");
		if (memchr(r->event.data.scalar.value, '\0', r->event.data.scalar.length))
			return fault(r, "a zero byte is not allowed");
		return 0;
	case YAML_MAPPING_START_EVENT:
		if (r->event.data.mapping_start.anchor || r->event.data.mapping_start.tag)
			return fault(r, "anchors and tags are not supported");
		return 0;
	default:
		return 0;
	}
}

/* Appends ".part" to the current key. */
static int extend_key(struct reader *r)
{
	const char *part = (const char *)r->event.data.scalar.value;
	size_t part_length = r->event.data.scalar.length;
	size_t length = strlen(r->key);

	if (part_length == 0)
		return fault(r, "a key is empty");
	if (part_length >= DOCUMENT_KEY_MAX - 1 - length)
		return fault(r, "a key is too long");
	for (size_t i = 0; i < part_length; i++)
		if ((unsigned char)part[i] <= ' ' || part[i] == 0x7F)
			return fault(r, "a key has blanks or control characters");
	if (length > 0)
		r->key[length++] = '.';
	memcpy(r->key + length, part, part_length + 1);
	return 0;
}

static int refuse_second(struct reader *r, yaml_mark_t mark)
{
	for (size_t i = 0; i < r->document.count; i++) {
		const struct document_entry *first = &r->document.items[i];
		if (strcmp(first->key, r->key) == 0)
			return error_set(r->err, ERROR_CONFIG, "%s:%u:%u: %s: given before in line %u", r->name,
					 line_of(mark), column_of(mark), r->key, first->line);
	}
	return 0;
}

static bool is_null(const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;

	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (value[0] == '\0' || strcmp(value, "~") == 0 || strcmp(value, "null") == 0);
}

/* The value of the current key is the current event. */
static int add_entry(struct reader *r, yaml_mark_t key_mark)
{
	int result = refuse_second(r, key_mark);

	if (result < 0)
		return result;
	if (r->document.count == DOCUMENT_ENTRIES_MAX)
		return fault(r, "too many keys");
	struct document_entry *items = reallocarray(r->document.items, r->document.count + 1, sizeof(*items));
	if (!items)
		return out_of_memory(r);
	r->document.items = items;

	bool null = is_null(&r->event);
	struct document_entry entry = {
	    .key = strdup(r->key),
	    .value = null ? NULL : strdup((const char *)r->event.data.scalar.value),
	    .line = line_of(key_mark),
	    .column = column_of(key_mark),
	    .value_line = line_of(r->event.start_mark),
	    .value_column = column_of(r->event.start_mark),
	};
	if (!entry.key || (!entry.value && !null)) {
		free(entry.key);
		free(entry.value);
		return out_of_memory(r);
	}
	items[r->document.count++] = entry;
	return 0;
}

/* Reads a map whose start was just read; recursion ends at DOCUMENT_DEPTH_MAX. */
static int read_map(struct reader *r, unsigned depth)
{
	size_t outer_length = strlen(r->key);
	int result;

	if (depth > DOCUMENT_DEPTH_MAX)
		return fault(r, "nested too deeply");
	while ((result = next_event(r)) == 0 && r->event.type != YAML_MAPPING_END_EVENT) {
		yaml_mark_t key_mark = r->event.start_mark;

		if (r->event.type != YAML_SCALAR_EVENT)
			return fault(r, "a key must be a plain word");
		result = extend_key(r);
		if (result == 0)
			result = next_event(r);
		if (result == 0)
			result = r->event.type == YAML_SCALAR_EVENT ? add_entry(r, key_mark) : read_map(r, depth + 1);
		if (result < 0)
			return result;
		r->key[outer_length] = '\0';
	}
	return result;
}

static int read_document(struct reader *r)
{
	int result = next_event(r);

	if (result == 0 && r->event.type == YAML_MAPPING_START_EVENT)
		result = read_map(r, 1);
	else if (result == 0 && !is_null(&r->event))
		result = fault(r, "expected a map of sections and options");
	return result == 0 ? next_event(r) : result; /* the end of the document */
}

static int read_stream(struct reader *r)
{
	int result = next_event(r);

	assert(result < 0 || r->event.type == YAML_STREAM_START_EVENT);
	if (result == 0)
		result = next_event(r);
	if (result == 0 && r->event.type == YAML_DOCUMENT_START_EVENT) {
		result = read_document(r);
		if (result == 0)
			result = next_event(r);
		if (result == 0 && r->event.type != YAML_STREAM_END_EVENT)
			result = fault(r, "a second document is not expected");
	}
	return result;
}

int document_read(struct document *out, const char *name, const uint8_t *text, size_t size, struct error *err)
{
	struct reader r = {.name = name, .text = text, .size = size, .err = err};

	if (size > DOCUMENT_TEXT_MAX)
		return error_set(err, ERROR_CONFIG, "%s: %zu bytes, at most %u are read", name, size,
				 DOCUMENT_TEXT_MAX);
	if (!yaml_parser_initialize(&r.parser))
		return out_of_memory(&r);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, text, size);
	int result = read_stream(&r);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	if (result < 0)
		document_finish(&r.document);
	else
		*out = r.document;
	return result;
}

void document_finish(struct document *document)
{
	for (size_t i = 0; i < document->count; i++) {
		free(document->items[i].key);
		free(document->items[i].value);
	}
	free(document->items);
	*document = (struct document){0};
}
