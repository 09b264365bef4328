#include "base/trace.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"

static void random_hex(char *out, size_t bytes)
{
	uint8_t raw[16];

	do {
		random_bytes(raw, bytes);
	} while (raw[0] == 0); /* keeps the id from being all zero, which W3C calls invalid */
	for (size_t i = 0; i < bytes; i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
}

void trace_begin(struct trace *t)
{
	memset(t, 0, sizeof(*t));
	random_hex(t->trace_id, 16);
	random_hex(t->span_id, 8);
}

/* Copies `length` lower-case hex digits; false if there is anything else or only zeros. */
static bool take_hex(char *out, const char *text, size_t length)
{
	bool zero = true;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		zero = zero && c == '0';
		out[i] = c;
	}
	out[length] = '\0';
	return !zero;
}

static bool parse(struct trace *t, const char *text)
{
	char version[3];
	char flags[3];

	/* Version 00 has exactly this length; later versions may append "-…". ff is invalid. */
	size_t length = strlen(text);
	if (length < TRACEPARENT_SIZE - 1 || text[2] != '-' || text[35] != '-' || text[52] != '-')
		return false;
	bool version_zero = !take_hex(version, text, 2);
	if (version_zero && strncmp(text, "00", 2) != 0)
		return false;
	if (version_zero ? length != TRACEPARENT_SIZE - 1 : strcmp(version, "ff") == 0)
		return false;
	if (length > TRACEPARENT_SIZE - 1 && text[55] != '-')
		return false;
	if (!take_hex(t->trace_id, text + 3, 32) || !take_hex(t->parent_id, text + 36, 16))
		return false;
	if (!take_hex(flags, text + 53, 2) && strncmp(text + 53, "00", 2) != 0)
		return false;
	unsigned value = 0;
	sscanf(text + 53, "%2x", &value);
	t->flags = (uint8_t)(value & 1);
	return true;
}

int trace_continue(struct trace *t, const char *text)
{
	struct trace parsed = {0};

	if (!text || !parse(&parsed, text)) {
		trace_begin(t);
		return -EINVAL;
	}
	random_hex(parsed.span_id, 8);
	*t = parsed;
	return 0;
}

void trace_format(const struct trace *t, char out[TRACEPARENT_SIZE])
{
	snprintf(out, TRACEPARENT_SIZE, "00-%.32s-%.16s-%02x", t->trace_id, t->span_id, t->flags);
}
