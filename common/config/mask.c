#include "config/mask.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

static int append_text(struct buffer *out, const char *text)
{
	return buffer_append(out, text, strlen(text));
}

/* Appends one URL; false if it is none, or its parts cannot be told apart for sure. */
static bool append_url(struct buffer *out, const char *url, size_t size)
{
	const char *end = url + size;
	const char *authority = memmem(url, size, "://", 3);

	if (!authority)
		return false;
	authority += 3;
	const char *authority_end = authority + strcspn(authority, "/?#,");
	const char *path_end = authority + strcspn(authority, "?#,");
	if (authority_end > end || path_end > end)
		return false;
	const char *at = memrchr(authority, '@', (size_t)(authority_end - authority));
	const char *host = at ? at + 1 : authority;
	const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
	if (memchr(host, '@', (size_t)(end - host)))
		return false; /* a password with a raw slash in it looks like this */

	int r = buffer_append(out, url, (size_t)((at ? authority : host) - url));
	if (r == 0 && at)
		r = colon ? buffer_append(out, authority, (size_t)(colon + 1 - authority)) : 0;
	if (r == 0 && at)
		r = append_text(out, "***@");
	if (r == 0)
		r = buffer_append(out, host, (size_t)(path_end - host));
	if (r == 0 && path_end < end)
		r = append_text(out, *path_end == '?' ? "?***" : "#***");
	return r == 0;
}

char *mask_secret(const char *secret)
{
	struct buffer out = {0};
	bool shown = true;

	if (secret[0] == '\0')
		return strdup("");
	for (const char *url = secret; url && shown;) {
		size_t size = strcspn(url, ",");

		shown = append_url(&out, url, size) && (url[size] != ',' || append_text(&out, ",") == 0);
		url = url[size] == ',' ? url + size + 1 : NULL;
	}
	if (!shown) {
		buffer_finish(&out);
		return strdup("***");
	}
	return (char *)buffer_steal(&out);
}
