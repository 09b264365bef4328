#include "obs/log.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define LINE_SIZE 16384
#define VALUE_MAX 1024
/* What is kept free for the mark of a cut line and its end: `,"cut":true}` and a newline. */
#define LINE_TAIL 32
/* Column at which the fields of a text line begin, counted from the message. */
#define MESSAGE_WIDTH 36

#define COLOUR_RESET "\x1b[0m"
#define COLOUR_DIM "\x1b[2m"

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const char *const format_names[] = {"auto", "json", "text"};

static atomic_int threshold = LOG_LEVEL_INFO;

/* Written by log_setup() before threads exist, read-only afterwards. */
static struct {
	const char *program;
	bool text;
	bool colour;
} setup = {.program = "facefleet"};

/* A line under construction. Once something does not fit, `full` is set and stays set until the caller rolls back. */
struct line {
	size_t size;
	bool full;
	char data[LINE_SIZE];
};

static void put_bytes(struct line *line, const char *bytes, size_t size)
{
	if (line->full || size > LINE_SIZE - LINE_TAIL - line->size) {
		line->full = true;
		return;
	}
	memcpy(line->data + line->size, bytes, size);
	line->size += size;
}

static void put(struct line *line, const char *text)
{
	put_bytes(line, text, strlen(text));
}

static void put_format(struct line *line, const char *fmt, ...) printf_like(2, 3);

static void put_format(struct line *line, const char *fmt, ...)
{
	char text[64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	put(line, text);
}

static void put_character(struct line *line, const char *bytes, size_t length, uint32_t code)
{
	if (code == '"' || code == '\\') {
		put(line, "\\");
		put_bytes(line, bytes, length);
	} else if (code == '\n') {
		put(line, "\\n");
	} else if (code == '\t') {
		put(line, "\\t");
	} else if (code < 0x20 || (code >= 0x7F && code < 0xA0)) {
		/* C1 controls too: some terminals obey them. */
		put_format(line, "\\u%04x", (unsigned)code);
	} else {
		put_bytes(line, bytes, length);
	}
}

/* The inside of a JSON string: escaped, well-formed, at most VALUE_MAX bytes of `text`. */
static void put_escaped(struct line *line, const char *text)
{
	size_t size = strnlen(text, VALUE_MAX + 1);
	size_t at = 0;

	while (at < size) {
		uint32_t code = 0;
		size_t length = utf8_decode(text + at, strnlen(text + at, 4), &code);

		if (at + (length ? length : 1) > VALUE_MAX) {
			put(line, "…");
			return;
		}
		if (length == 0)
			put(line, UTF8_REPLACEMENT);
		else
			put_character(line, text + at, length, code);
		at += length ? length : 1;
	}
}

static void put_quoted(struct line *line, const char *text)
{
	put(line, "\"");
	put_escaped(line, text);
	put(line, "\"");
}

/* True for a value that a text line shows without quotes. */
static bool is_plain(const char *text)
{
	size_t at = 0;

	for (; text[at] != '\0' && at < VALUE_MAX; at++)
		if (text[at] <= ' ' || text[at] > '~' || text[at] == '"' || text[at] == '=' || text[at] == '\\')
			return false;
	return at > 0;
}

static void put_value(struct line *line, const struct log_field *field)
{
	switch (field->type) {
	case LOG_FIELD_STRING:
		if (setup.text && is_plain(field->string))
			put_escaped(line, field->string);
		else
			put_quoted(line, field->string);
		break;
	case LOG_FIELD_INTEGER:
		put_format(line, "%lld", (long long)field->integer);
		break;
	case LOG_FIELD_NUMBER:
		if (!isfinite(field->number))
			put(line, "null");
		else if (fabs(field->number) < 1e15)
			put_format(line, "%.3f", field->number);
		else
			put_format(line, "%.17g", field->number);
		break;
	case LOG_FIELD_BOOLEAN:
		put(line, field->integer ? "true" : "false");
		break;
	}
}

static void put_field(struct line *line, const struct log_field *field)
{
	size_t before = line->size;

	if (line->full || (field->type == LOG_FIELD_STRING && !field->string))
		return;
	if (setup.text) {
		put(line, setup.colour ? "  " COLOUR_DIM : "  ");
		put_escaped(line, field->key);
		put(line, setup.colour ? "=" COLOUR_RESET : "=");
	} else {
		put(line, ",");
		put_quoted(line, field->key);
		put(line, ":");
	}
	put_value(line, field);
	if (line->full)
		line->size = before; /* a whole field or none, so that the line stays parseable */
}

static void put_head_json(struct line *line, enum log_level level, const char *time, const char *message)
{
	put_format(line, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":", time, level_names[level]);
	put_quoted(line, setup.program);
	put(line, ",\"message\":");
	put_quoted(line, message);
}

static void put_head_text(struct line *line, enum log_level level, const char *time, const char *message)
{
	static const char *const colours[] = {"\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[1;31m"};

	put(line, time);
	put(line, " ");
	if (setup.colour)
		put(line, colours[level]);
	put_format(line, "%-7s", level_names[level]);
	if (setup.colour)
		put(line, COLOUR_RESET);
	put(line, " ");
	put(line, setup.program);
	put(line, ": ");
	size_t start = line->size;
	put_escaped(line, message);
	while (!line->full && line->size - start < MESSAGE_WIDTH)
		put(line, " ");
}

static void put_context(struct line *line, const struct context *ctx)
{
	if (ctx->task_id[0] != '\0')
		put_field(line, &(struct log_field){.key = "task_id", .string = ctx->task_id});
	if (ctx->trace.trace_id[0] != '\0')
		put_field(line, &(struct log_field){.key = "trace_id", .string = ctx->trace.trace_id});
	put_field(line, &(struct log_field){.key = "scene", .string = ctx->scene});
	put_field(line, &(struct log_field){.key = "op", .string = ctx->op});
}

/* LINE_TAIL bytes were kept free for this. */
static void end_line(struct line *line)
{
	const char *end = setup.text ? (line->full ? "  cut=true\n" : "\n") : (line->full ? ",\"cut\":true}\n" : "}\n");

	while (setup.text && line->size > 0 && line->data[line->size - 1] == ' ')
		line->size--;
	memcpy(line->data + line->size, end, strlen(end));
	line->size += strlen(end);
}

static void write_line(const struct line *line)
{
	int saved = errno;
	size_t done = 0;

	while (done < line->size) {
		ssize_t put_now = write(STDERR_FILENO, line->data + done, line->size - done);
		if (put_now < 0 && errno == EINTR)
			continue;
		if (put_now < 0)
			break; /* nobody listens: there is no better place to say so */
		done += (size_t)put_now;
	}
	errno = saved;
}

void log_write(enum log_level level, const struct context *ctx, const char *message, const struct log_field *fields)
{
	struct line line;
	char time[CLOCK_RFC3339_SIZE];

	if (!log_enabled(level))
		return;
	line.size = 0;
	line.full = false;
	clock_format_rfc3339(clock_unix_ms(), time);
	if (setup.text)
		put_head_text(&line, level, time, message);
	else
		put_head_json(&line, level, time, message);
	if (ctx)
		put_context(&line, ctx);
	for (; fields && fields->key; fields++)
		put_field(&line, fields);
	end_line(&line);
	write_line(&line);
}

void log_setup(const char *program, enum log_level level, enum log_format format)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");
	bool tty = isatty(STDERR_FILENO) == 1;

	setup.program = program;
	setup.text = format == LOG_FORMAT_TEXT || (format == LOG_FORMAT_AUTO && tty);
	setup.colour =
	    setup.text && tty && !(no_colour && no_colour[0] != '\0') && !(terminal && strcmp(terminal, "dumb") == 0);
	log_set_level(level);
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

static int index_of(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

int log_level_from_name(const char *name, enum log_level *level)
{
	int i = index_of(level_names, array_size(level_names), name);

	if (i < 0)
		return i;
	*level = (enum log_level)i;
	return 0;
}

int log_format_from_name(const char *name, enum log_format *format)
{
	int i = index_of(format_names, array_size(format_names), name);

	if (i < 0)
		return i;
	*format = (enum log_format)i;
	return 0;
}

struct log_field log_string(const char *key, const char *value)
{
	return (struct log_field){.key = key, .type = LOG_FIELD_STRING, .string = value};
}

struct log_field log_integer(const char *key, int64_t value)
{
	return (struct log_field){.key = key, .type = LOG_FIELD_INTEGER, .integer = value};
}

struct log_field log_number(const char *key, double value)
{
	return (struct log_field){.key = key, .type = LOG_FIELD_NUMBER, .number = value};
}

struct log_field log_boolean(const char *key, bool value)
{
	return (struct log_field){.key = key, .type = LOG_FIELD_BOOLEAN, .integer = value};
}

void log_url(const char *url, char *out, size_t size)
{
	size_t scheme = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
	size_t prefix = 0;

	/* "scheme:" and any number of slashes: what curl accepts, not only what is well-formed. */
	if (url[scheme] == ':' && url[scheme + 1] == '/')
		prefix = scheme + 1 + strspn(url + scheme + 1, "/");
	const char *authority = url + prefix;
	const char *host = authority;
	for (size_t i = 0, end = strcspn(authority, "/\\?#"); i < end; i++)
		if (authority[i] == '@')
			host = authority + i + 1;
	snprintf(out, size, "%.*s%.*s", (int)prefix, url, (int)strcspn(host, "?#"), host);
}
