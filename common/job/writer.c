#include "job/writer.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"

/* MessagePack heads with a count of 32 bits, so that it can be filled in when it is known. */
#define MSGPACK_ARRAY32 0xDD
#define MSGPACK_MAP32 0xDF
#define MSGPACK_HEAD_SIZE 5

/* U+FFFD, for what is not well-formed UTF-8. */
#define REPLACEMENT "\xEF\xBF\xBD"

static void append(struct writer *w, const void *bytes, size_t size)
{
	if (w->result == 0)
		w->result = buffer_append(w->out, bytes, size);
}

static void append_text(struct writer *w, const char *text)
{
	append(w, text, strlen(text));
}

static int pack_append(void *w, const char *bytes, size_t size)
{
	append(w, bytes, size);
	return 0;
}

static msgpack_packer packer_of(struct writer *w)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, w, pack_append);
	return packer;
}

/* The length of the piece of `text` that stands for itself in JSON; at most `length`. */
static size_t plain_run(const char *text, size_t length)
{
	size_t run = 0;

	while (run < length) {
		unsigned char c = (unsigned char)text[run];
		size_t character = utf8_decode(text + run, length - run, NULL);
		if (character == 0 || c < 0x20 || c == '"' || c == '\\')
			break;
		run += character;
	}
	return run;
}

static void json_escape(struct writer *w, char c)
{
	char escaped[8];

	if (c == '"' || c == '\\')
		snprintf(escaped, sizeof(escaped), "\\%c", c);
	else if (c == '\n')
		snprintf(escaped, sizeof(escaped), "\\n");
	else if ((unsigned char)c < 0x20)
		snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)c);
	else
		snprintf(escaped, sizeof(escaped), REPLACEMENT);
	append_text(w, escaped);
}

static void json_string(struct writer *w, const char *text)
{
	size_t left = strlen(text);

	append_text(w, "\"");
	while (left > 0) {
		size_t run = plain_run(text, left);
		append(w, text, run);
		text += run;
		left -= run;
		if (left > 0) {
			json_escape(w, *text);
			text++;
			left--;
		}
	}
	append_text(w, "\"");
}

static void msgpack_string(struct writer *w, const char *text)
{
	msgpack_packer packer = packer_of(w);
	size_t length = strlen(text);
	size_t size = 0;

	for (size_t i = 0; i < length;) {
		size_t character = utf8_decode(text + i, length - i, NULL);
		size += character ? character : strlen(REPLACEMENT);
		i += character ? character : 1;
	}
	msgpack_pack_str(&packer, size);
	if (size == length) { /* a replacement is longer than the one byte it stands for */
		append(w, text, length);
		return;
	}
	for (size_t i = 0; i < length;) {
		size_t character = utf8_decode(text + i, length - i, NULL);
		append(w, character ? text + i : REPLACEMENT, character ? character : strlen(REPLACEMENT));
		i += character ? character : 1;
	}
}

/* What comes before a value: the comma, the name. */
static void begin_value(struct writer *w, const char *name)
{
	struct writer_level *level = &w->level[w->depth];

	assert(level->is_map == (name != NULL));
	level->count++;
	if (w->encoding == ENCODING_MSGPACK) {
		if (name)
			msgpack_string(w, name);
		return;
	}
	if (level->count > 1)
		append_text(w, ",");
	if (name) {
		json_string(w, name);
		append_text(w, ":");
	}
}

void writer_init(struct writer *w, enum encoding encoding, struct buffer *out)
{
	*w = (struct writer){.encoding = encoding, .out = out, .start = out->size};
}

int writer_finish(struct writer *w)
{
	assert(w->depth == 0);
	if (w->result < 0) {
		w->out->size = w->start;
		if (w->out->data)
			w->out->data[w->start] = 0;
	}
	return w->result;
}

static void open_level(struct writer *w, const char *name, bool is_map)
{
	begin_value(w, name);
	assert(w->depth < WRITER_MAX_DEPTH);
	w->depth++;
	w->level[w->depth] = (struct writer_level){.is_map = is_map, .head = w->out->size};
	if (w->encoding == ENCODING_JSON) {
		append_text(w, is_map ? "{" : "[");
		return;
	}
	uint8_t head[MSGPACK_HEAD_SIZE] = {is_map ? MSGPACK_MAP32 : MSGPACK_ARRAY32};
	append(w, head, sizeof(head));
}

void writer_open_map(struct writer *w, const char *name)
{
	open_level(w, name, true);
}

void writer_open_array(struct writer *w, const char *name)
{
	open_level(w, name, false);
}

void writer_close(struct writer *w)
{
	const struct writer_level *level = &w->level[w->depth];

	assert(w->depth > 0);
	w->depth--;
	if (w->encoding == ENCODING_JSON) {
		append_text(w, level->is_map ? "}" : "]");
		return;
	}
	if (w->result < 0)
		return;
	for (int i = 0; i < 4; i++)
		w->out->data[level->head + 1 + (size_t)i] = (uint8_t)(level->count >> (24 - 8 * i));
}

void writer_null(struct writer *w, const char *name)
{
	begin_value(w, name);
	if (w->encoding == ENCODING_JSON) {
		append_text(w, "null");
		return;
	}
	msgpack_packer packer = packer_of(w);
	msgpack_pack_nil(&packer);
}

void writer_bool(struct writer *w, const char *name, bool value)
{
	begin_value(w, name);
	if (w->encoding == ENCODING_JSON) {
		append_text(w, value ? "true" : "false");
		return;
	}
	msgpack_packer packer = packer_of(w);
	if (value)
		msgpack_pack_true(&packer);
	else
		msgpack_pack_false(&packer);
}

void writer_integer(struct writer *w, const char *name, int64_t value)
{
	char text[24];

	begin_value(w, name);
	if (w->encoding == ENCODING_JSON) {
		snprintf(text, sizeof(text), "%jd", (intmax_t)value);
		append_text(w, text);
		return;
	}
	msgpack_packer packer = packer_of(w);
	msgpack_pack_int64(&packer, value);
}

/* Writes a number of which `text` is the JSON form; MessagePack gets the same value. */
static void write_number(struct writer *w, const char *name, const char *text)
{
	begin_value(w, name);
	if (w->encoding == ENCODING_JSON) {
		append_text(w, text);
		return;
	}
	msgpack_packer packer = packer_of(w);
	msgpack_pack_double(&packer, strtod(text, NULL));
}

void writer_number(struct writer *w, const char *name, double value)
{
	char text[40];
	int digits = 9;

	if (!isfinite(value)) {
		writer_null(w, name);
		return;
	}
	do {
		snprintf(text, sizeof(text), "%.*g", digits, value + 0.0); /* no "-0" */
	} while (strtod(text, NULL) != value && digits++ < 17);
	write_number(w, name, text);
}

void writer_float(struct writer *w, const char *name, double value)
{
	char text[40];

	if (!isfinite(value)) {
		writer_null(w, name);
		return;
	}
	snprintf(text, sizeof(text), "%.9g", value + 0.0);
	write_number(w, name, text);
}

void writer_decimal(struct writer *w, const char *name, double value)
{
	char text[40];

	/* Beyond this, doubles have no three decimals to round to. */
	if (!(fabs(value) < 1e12)) {
		writer_number(w, name, value);
		return;
	}
	snprintf(text, sizeof(text), "%.3f", round(value * 1000) / 1000 + 0.0);
	write_number(w, name, text);
}

void writer_string(struct writer *w, const char *name, const char *text)
{
	begin_value(w, name);
	if (w->encoding == ENCODING_JSON)
		json_string(w, text);
	else
		msgpack_string(w, text);
}

void writer_string_or_null(struct writer *w, const char *name, const char *text)
{
	if (text[0] != '\0')
		writer_string(w, name, text);
	else
		writer_null(w, name);
}

void writer_time_or_null(struct writer *w, const char *name, int64_t unix_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	if (unix_ms == 0) {
		writer_null(w, name);
		return;
	}
	clock_format_rfc3339(unix_ms, text);
	writer_string(w, name, text);
}

void writer_bytes(struct writer *w, const char *name, const uint8_t *bytes, size_t size)
{
	begin_value(w, name);
	if (w->encoding == ENCODING_MSGPACK) {
		msgpack_packer packer = packer_of(w);
		msgpack_pack_bin(&packer, size);
		append(w, bytes, size);
		return;
	}
	append_text(w, "\"");
	size_t encoded = base64_encoded_size(size);
	if (w->result == 0)
		w->result = buffer_reserve(w->out, encoded);
	if (w->result == 0) {
		base64_encode(bytes, size, (char *)w->out->data + w->out->size);
		w->out->size += encoded;
	}
	append_text(w, "\"");
}
