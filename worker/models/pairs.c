#include "pairs.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_BYTES (64u << 20)
#define MAX_PAIRS 1000000
#define COLUMNS 4

/* The row that is being read; fields are places in the text buffer, which moves while it grows. */
struct reader {
	struct pairs *pairs;
	const char *name;
	size_t fields[COLUMNS];
	unsigned field_count;
	unsigned row;
	int status;
	struct error *err;
};

static void on_field(void *bytes, size_t size, void *arg)
{
	struct reader *reader = arg;
	struct buffer *text = &reader->pairs->text;
	size_t at = text->size;

	if (reader->field_count++ >= COLUMNS || reader->status < 0)
		return;
	reader->fields[reader->field_count - 1] = at;
	if (memchr(size > 0 ? bytes : "", '\0', size))
		reader->status =
		    error_set(reader->err, ERROR_INVALID_JOB, "%s: row %u: a zero byte", reader->name, reader->row + 1);
	else if (buffer_append(text, size > 0 ? bytes : "", size) < 0 || buffer_append(text, "", 1) < 0)
		reader->status = error_set(reader->err, ERROR_INTERNAL, "no memory for the pairs of %s", reader->name);
}

static bool parse_label(const char *word, bool *same)
{
	static const char *const words[] = {"0", "1", "false", "true", "different", "same"};

	for (size_t i = 0; i < array_size(words); i++) {
		if (strcasecmp(word, words[i]) == 0) {
			*same = i % 2 == 1;
			return true;
		}
	}
	return false;
}

static int add_pair(struct reader *reader, bool same)
{
	struct pairs *pairs = reader->pairs;

	if (pairs->count == MAX_PAIRS)
		return error_set(reader->err, ERROR_INVALID_JOB, "%s: more than %d pairs", reader->name, MAX_PAIRS);
	if (pairs->count == pairs->capacity) {
		size_t capacity = pairs->capacity ? 2 * pairs->capacity : 256;
		void *grown = reallocarray(pairs->items, capacity, sizeof(*pairs->items));
		if (!grown)
			return error_set(reader->err, ERROR_INTERNAL, "no memory for the pairs of %s", reader->name);
		pairs->items = grown;
		pairs->capacity = capacity;
	}
	pairs->items[pairs->count++] = (struct labelled_pair){reader->fields[1], reader->fields[2], same};
	return 0;
}

static void on_row(int end, void *arg)
{
	struct reader *reader = arg;
	const char *text = (const char *)reader->pairs->text.data;
	unsigned count = reader->field_count;
	bool same;

	(void)end;
	reader->field_count = 0;
	reader->row++;
	if (reader->status < 0)
		return;
	if (count < COLUMNS)
		reader->status = error_set(reader->err, ERROR_INVALID_JOB,
					   "%s: row %u has %u columns, id,image_a,image_b,label are wanted",
					   reader->name, reader->row, count);
	else if (reader->row == 1 && strcmp(text + reader->fields[1], "image_a") == 0)
		return; /* the header */
	else if (parse_label(text + reader->fields[3], &same))
		reader->status = add_pair(reader, same);
	else
		reader->status =
		    error_set(reader->err, ERROR_INVALID_JOB, "%s: row %u: the label \"%.40s\" is neither 1 nor 0",
			      reader->name, reader->row, text + reader->fields[3]);
}

int pairs_parse(struct pairs *pairs, const char *name, const uint8_t *text, size_t size, struct error *err)
{
	struct reader reader = {.pairs = pairs, .name = name, .err = err};
	struct csv_parser parser;

	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return error_set(err, ERROR_INTERNAL, "the CSV parser does not start");
	bool parsed = csv_parse(&parser, text, size, on_field, on_row, &reader) == size &&
		      csv_fini(&parser, on_field, on_row, &reader) == 0;
	csv_free(&parser);
	if (reader.status < 0)
		return reader.status;
	if (!parsed)
		return error_set(err, ERROR_INVALID_JOB, "%s: row %u: misplaced quote", name, reader.row + 1);
	if (pairs->count < 2)
		return error_set(err, ERROR_INVALID_JOB, "%s: there are less than two pairs", name);
	return 0;
}

int pairs_read(struct pairs *pairs, const char *path, struct error *err)
{
	struct buffer text = {0};
	struct error why = {0};
	int r = buffer_read_file(&text, path, MAX_BYTES, &why);

	r = r < 0 ? error_set(err, ERROR_INVALID_JOB, "%s", why.text)
		  : pairs_parse(pairs, path, text.data, text.size, err);
	buffer_finish(&text);
	return r;
}

const char *pairs_image(const struct pairs *pairs, size_t image)
{
	return (const char *)pairs->text.data + image;
}

void pairs_finish(struct pairs *pairs)
{
	free(pairs->items);
	buffer_finish(&pairs->text);
	*pairs = (struct pairs){0};
}
