#include "prefer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANK " \t"

/* Reads `=N` or `="N"`; false if it is no number of seconds. */
static bool read_seconds(const char *at, int64_t *seconds)
{
	at += strspn(at, BLANK);
	if (*at++ != '=')
		return false;
	at += strspn(at, BLANK);
	bool quoted = *at == '"';
	if (quoted)
		at++;
	size_t digits = strspn(at, "0123456789");
	if (digits == 0 || digits > 9 || (quoted && at[digits] != '"'))
		return false;
	const char *rest = at + digits + (quoted ? 1 : 0);
	if (*rest != '\0' && !strchr(BLANK ",;", *rest))
		return false;
	*seconds = strtoll(at, NULL, 10);
	return true;
}

/* The next preference: behind a comma that no quotes enclose. */
static const char *skip(const char *at)
{
	bool quoted = false;

	for (; *at != '\0' && (quoted || *at != ','); at++) {
		if (quoted && *at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '"')
			quoted = !quoted;
	}
	return *at == ',' ? at + 1 : at;
}

void prefer_read(struct prefer *out, const char *header, int64_t max_wait_ms)
{
	int64_t seconds;

	*out = (struct prefer){0};
	for (const char *at = header ? header : ""; *at != '\0'; at = skip(at)) {
		at += strspn(at, BLANK ",");
		size_t length = strcspn(at, BLANK ",;=\"");

		if (length == 13 && strncasecmp(at, "respond-async", length) == 0)
			out->respond_async = true;
		/* The first of several counts. */
		if (length != 4 || strncasecmp(at, "wait", length) != 0 || out->has_wait ||
		    !read_seconds(at + length, &seconds))
			continue;
		out->has_wait = true;
		out->wait_ms = seconds * 1000 < max_wait_ms ? seconds * 1000 : max_wait_ms;
	}
}
