#include "cache/redis_url.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/percent.h"

/*
 * No message quotes the text: with a misplaced '/' or '@' any part of it may be the password.
 */
#define ENCODE_HINT "in a user name or password, write / @ : ? # as %%2F %%40 %%3A %%3F %%23"

#define MAX_DATABASE 65535

/* A stretch of the text that is being parsed. */
struct span {
	const char *start;
	const char *end;
};

static size_t length_of(struct span s)
{
	return (size_t)(s.end - s.start);
}

static const char *find(struct span s, char c)
{
	return memchr(s.start, c, length_of(s));
}

/* Undoes percent-encoding; `what` names the part in the error. */
static int decode(struct span s, const char *what, char *out, size_t size, struct error *err)
{
	char whole[64];

	snprintf(whole, sizeof(whole), "Redis URL: the %s", what);
	return percent_decode(s.start, length_of(s), whole, out, size, err);
}

static int parse_number(struct span s, const char *what, unsigned least, unsigned most, unsigned *out,
			struct error *err)
{
	bool valid = length_of(s) >= 1 && length_of(s) <= 5;
	unsigned value = 0;

	for (const char *p = s.start; valid && p < s.end; p++) {
		valid = *p >= '0' && *p <= '9';
		value = value * 10 + (unsigned)(*p - '0');
	}
	if (!valid || value < least || value > most)
		return error_set(err, ERROR_CONFIG, "Redis URL: the %s is not a number from %u to %u; " ENCODE_HINT,
				 what, least, most);
	*out = value;
	return 0;
}

static int parse_credentials(struct span s, struct redis_url *out, struct error *err)
{
	const char *colon = find(s, ':');

	if (!colon)
		return error_set(err, ERROR_CONFIG,
				 "Redis URL: a password follows a colon, as in redis://:password@host; " ENCODE_HINT);
	int r = decode((struct span){s.start, colon}, "user name", out->user, sizeof(out->user), err);
	if (r == 0)
		r = decode((struct span){colon + 1, s.end}, "password", out->password, sizeof(out->password), err);
	if (r == 0 && out->user[0] && !out->password[0])
		return error_set(err, ERROR_CONFIG, "Redis URL: a user without a password");
	return r;
}

/* The host, and what may follow it: a port. */
static int parse_host(struct span s, struct redis_url *out, struct error *err)
{
	struct span host = s;
	const char *allowed = "-._";
	unsigned port = 6379;

	if (s.start < s.end && *s.start == '[') {
		const char *close = find(s, ']');
		if (!close || (close + 1 < s.end && close[1] != ':'))
			return error_set(err, ERROR_CONFIG,
					 "Redis URL: an IPv6 address is written [address] or [address]:port");
		host = (struct span){s.start + 1, close};
		s.start = close + 1;
		allowed = ":.";
	} else {
		const char *colon = find(s, ':');
		host.end = s.start = colon ? colon : s.end;
	}
	if (length_of(host) == 0 || length_of(host) >= sizeof(out->host))
		return error_set(err, ERROR_CONFIG, "Redis URL: a host name has 1 to %zu bytes", sizeof(out->host) - 1);
	for (const char *p = host.start; p < host.end; p++)
		if (!isalnum((unsigned char)*p) && (*p == '\0' || !strchr(allowed, *p)))
			return error_set(
			    err, ERROR_CONFIG,
			    "Redis URL: the host name has a character that cannot be in one; " ENCODE_HINT);
	memcpy(out->host, host.start, length_of(host));
	out->host[length_of(host)] = '\0';
	int r = s.start == s.end ? 0 : parse_number((struct span){s.start + 1, s.end}, "port", 1, 65535, &port, err);
	out->port = (uint16_t)port;
	return r;
}

int redis_url_parse(struct redis_url *out, const char *text, struct error *err)
{
	struct redis_url parsed = {.database = 0};
	int r = 0;

	if (strncasecmp(text, "rediss://", 9) == 0)
		return error_set(err, ERROR_CONFIG,
				 "Redis URL: TLS (rediss://) is not supported; put a tunnel in front of the server");
	if (strncasecmp(text, "redis://", 8) != 0)
		return error_set(err, ERROR_CONFIG, "Redis URL: it does not begin with redis://");
	struct span rest = {text + 8, text + strlen(text)};
	if (find(rest, '?') || find(rest, '#'))
		return error_set(err, ERROR_CONFIG,
				 "Redis URL: only a database number may follow the host; " ENCODE_HINT);
	const char *slash = find(rest, '/');
	struct span host = {rest.start, slash ? slash : rest.end};
	const char *at = find(host, '@');
	if (at) {
		r = parse_credentials((struct span){host.start, at}, &parsed, err);
		host.start = at + 1;
	}
	if (r == 0)
		r = parse_host(host, &parsed, err);
	if (r == 0 && slash && slash + 1 < rest.end)
		r = parse_number((struct span){slash + 1, rest.end}, "database", 0, MAX_DATABASE, &parsed.database,
				 err);
	if (r == 0)
		*out = parsed;
	return r;
}
