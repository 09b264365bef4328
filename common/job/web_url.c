#include "job/web_url.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "job/job.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The part behind "http://" or "https://", or NULL. */
static const char *skip_scheme(const char *url)
{
	if (strncasecmp(url, "https://", 8) == 0)
		return url + 8;
	return strncasecmp(url, "http://", 7) == 0 ? url + 7 : NULL;
}

static bool is_printable(const char *url)
{
	for (; *url != '\0'; url++)
		if (*url <= ' ' || *url >= 0x7F || *url == '\\')
			return false;
	return true;
}

/* Bytes of the host at `at`: a name, an IPv4 address, or an IPv6 address in brackets; 0 if there is none. */
static size_t host_length(const char *at)
{
	if (*at != '[')
		return strspn(at, LETTERS DIGITS ".-_");
	size_t inner = strspn(at + 1, DIGITS "abcdefABCDEF:.");
	return inner > 0 && at[1 + inner] == ']' ? inner + 2 : 0;
}

/* True if the rest of an authority, up to `end`, is empty or ":" and a port. */
static bool is_port(const char *at, const char *end)
{
	if (at == end)
		return true;
	size_t digits = (size_t)(end - at) - 1;
	/* A port is written in one way only: as ":0443" it would pass by what is said of ":443". */
	if (*at != ':' || digits == 0 || digits > 5 || at[1] == '0' || strspn(at + 1, DIGITS) != digits)
		return false;
	return strtol(at + 1, NULL, 10) <= 65535;
}

const char *web_url_problem(const char *url)
{
	if (strlen(url) > JOB_MAX_URL_BYTES)
		return "is longer than 2048 bytes";
	if (!is_printable(url))
		return "has a character that a URL cannot have";
	const char *authority = skip_scheme(url);
	if (!authority)
		return "does not begin with http:// or https://";
	const char *end = authority + strcspn(authority, "/?#");
	if (memchr(authority, '@', (size_t)(end - authority)))
		return "must not carry a user name or password";
	size_t host = host_length(authority);
	if (host == 0)
		return "has no host";
	if (!is_port(authority + host, end))
		return "has a bad host or port";
	return NULL;
}
