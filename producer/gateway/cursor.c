#include "cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/uuid.h"

/* "1764108000000 0190…": 13 digits now, 19 at most. */
#define PLAIN_SIZE (20 + UUID_SIZE)

static void exchange(char *text, char from, char to)
{
	for (; *text != '\0'; text++)
		if (*text == from)
			*text = to;
}

void cursor_print(const struct tasks_cursor *cursor, char out[CURSOR_SIZE])
{
	char plain[PLAIN_SIZE];
	int length = snprintf(plain, sizeof(plain), "%" PRId64 " %s", cursor->accepted_at_ms, cursor->task_id);

	base64_encode((const uint8_t *)plain, (size_t)length, out);
	exchange(out, '+', '-');
	exchange(out, '/', '_');
	out[strcspn(out, "=")] = '\0';
}

bool cursor_parse(const char *text, struct tasks_cursor *out)
{
	char padded[CURSOR_SIZE + 4];
	uint8_t plain[CURSOR_SIZE + 4];
	size_t length = strlen(text);
	char *rest;

	if (length >= CURSOR_SIZE ||
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != length)
		return false;
	snprintf(padded, sizeof(padded), "%s%.*s", text, (int)(-length & 3), "===");
	exchange(padded, '-', '+');
	exchange(padded, '_', '/');
	int64_t size = base64_decode(padded, strlen(padded), plain, NULL);
	if (size < UUID_SIZE || size >= PLAIN_SIZE)
		return false;
	plain[size] = '\0';
	if (plain[0] < '0' || plain[0] > '9' || strlen((const char *)plain) != (size_t)size)
		return false;
	int64_t ms = strtoll((const char *)plain, &rest, 10);
	if (*rest != ' ' || !uuid_is_valid(rest + 1))
		return false;
	out->accepted_at_ms = ms;
	memcpy(out->task_id, rest + 1, UUID_SIZE);
	return true;
}
