#include "amqp/url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/percent.h"

/*
 * No message quotes the text: with a misplaced '/' or '@' any part of it may be the password.
 */
#define ENCODE_HINT "in a user name, password or vhost, write / @ : , as %%2F %%40 %%3A %%2C"

/* A stretch of the text that is being parsed. */
struct span {
	const char *start;
	const char *end;
};

static size_t span_length(struct span s)
{
	return (size_t)(s.end - s.start);
}

static const char *span_find(struct span s, char c)
{
	return memchr(s.start, c, span_length(s));
}

/* Cuts what stands before `c` off the front of *s; the whole of it when there is no `c`. */
static struct span span_cut(struct span *s, char c)
{
	const char *at = span_find(*s, c);
	struct span head = {s->start, at ? at : s->end};

	s->start = at ? at + 1 : s->end;
	return head;
}

/* Undoes percent-encoding; `what` names the part in the error. */
static int decode(struct span s, const char *what, char *out, size_t size, struct error *err)
{
	char whole[64];

	snprintf(whole, sizeof(whole), "broker URL: the %s", what);
	return percent_decode(s.start, span_length(s), whole, out, size, err);
}

static int parse_port(struct span s, uint16_t *port, struct error *err)
{
	unsigned value = 0;
	bool valid = span_length(s) >= 1 && span_length(s) <= 5;

	for (const char *p = s.start; valid && p < s.end; p++) {
		valid = *p >= '0' && *p <= '9';
		value = value * 10 + (unsigned)(*p - '0');
	}
	if (!valid || value < 1 || value > UINT16_MAX)
		return error_set(err, ERROR_CONFIG, "broker URL: a port is not a number from 1 to 65535; " ENCODE_HINT);
	*port = (uint16_t)value;
	return 0;
}

static int parse_host(struct span s, struct amqp_endpoint *out, struct error *err)
{
	struct span host = s;
	const char *allowed = "-._";

	if (s.start < s.end && *s.start == '[') {
		const char *close = span_find(s, ']');
		if (!close)
			return error_set(err, ERROR_CONFIG, "broker URL: an IPv6 address lacks its closing ]");
		host = (struct span){s.start + 1, close};
		s.start = close + 1;
		if (s.start < s.end && *s.start != ':')
			return error_set(err, ERROR_CONFIG,
					 "broker URL: a ] is followed by something else than a port");
		allowed = ":.";
	} else {
		const char *colon = span_find(s, ':');
		host.end = colon ? colon : s.end;
		s.start = host.end;
	}
	if (span_length(host) == 0)
		return error_set(err, ERROR_CONFIG, "broker URL: a host name is missing");
	if (span_length(host) >= sizeof(out->host))
		return error_set(err, ERROR_CONFIG, "broker URL: a host name is longer than %zu bytes",
				 sizeof(out->host) - 1);
	for (const char *p = host.start; p < host.end; p++)
		if (!isalnum((unsigned char)*p) && !strchr(allowed, *p))
			return error_set(err, ERROR_CONFIG,
					 "broker URL: a host name has a character that cannot be in one; " ENCODE_HINT);
	memcpy(out->host, host.start, span_length(host));
	out->host[span_length(host)] = '\0';
	out->port = out->tls ? 5671 : 5672;
	return s.start == s.end ? 0 : parse_port((struct span){s.start + 1, s.end}, &out->port, err);
}

static int parse_credentials(struct span s, struct amqp_endpoint *out, struct error *err)
{
	struct span user = span_cut(&s, ':');
	int r = decode(user, "user name", out->user, sizeof(out->user), err);

	return r < 0 ? r : decode(s, "password", out->password, sizeof(out->password), err);
}

static int add_host(struct amqp_url *out, const struct amqp_endpoint *endpoint, struct error *err)
{
	if (out->count == AMQP_MAX_HOSTS)
		return error_set(err, ERROR_CONFIG, "broker URL: more than %d hosts", AMQP_MAX_HOSTS);
	out->hosts[out->count++] = *endpoint;
	return 0;
}

/* Parses what follows the scheme of one URL: [user[:password]@]host[:port][,host[:port]…][/vhost] */
static int parse_one(struct amqp_url *out, struct span s, bool tls, struct error *err)
{
	struct amqp_endpoint endpoint = {.tls = tls, .user = "guest", .password = "guest", .vhost = "/"};
	struct span authority = span_cut(&s, '/');
	int r = 0;

	if (span_find(s, '/') || span_find(s, '?') || span_find(s, '#'))
		return error_set(err, ERROR_CONFIG, "broker URL: only a vhost may follow the hosts; " ENCODE_HINT);
	if (s.start < s.end)
		r = decode(s, "vhost", endpoint.vhost, sizeof(endpoint.vhost), err);
	if (r == 0 && span_find(authority, '@')) {
		struct span credentials = span_cut(&authority, '@');
		if (span_find(authority, '@'))
			return error_set(err, ERROR_CONFIG, "broker URL: more than one @; " ENCODE_HINT);
		r = parse_credentials(credentials, &endpoint, err);
	}
	bool more = true;
	while (r == 0 && more) {
		more = span_find(authority, ',') != NULL;
		r = parse_host(span_cut(&authority, ','), &endpoint, err);
		if (r == 0)
			r = add_host(out, &endpoint, err);
	}
	return r;
}

/* The length of the scheme that `text` begins with, 0 if it is none of AMQP's. */
static size_t scheme_length(const char *text, bool *tls)
{
	*tls = strncasecmp(text, "amqps://", 8) == 0;
	if (*tls)
		return 8;
	return strncasecmp(text, "amqp://", 7) == 0 ? 7 : 0;
}

/* The comma before the next whole URL, or the end of the text. */
static const char *end_of_url(const char *text)
{
	bool tls;

	for (; *text; text++)
		if (*text == ',' && scheme_length(text + 1, &tls) > 0)
			break;
	return text;
}

int amqp_url_parse(struct amqp_url *out, const char *text, struct error *err)
{
	struct amqp_url parsed = {.count = 0};
	bool more = true;

	while (more) {
		bool tls;
		size_t skip = scheme_length(text, &tls);
		if (skip == 0)
			return error_set(err, ERROR_CONFIG, "broker URL: it does not begin with amqp:// or amqps://");
		const char *end = end_of_url(text + skip);
		int r = parse_one(&parsed, (struct span){text + skip, end}, tls, err);
		if (r < 0)
			return r;
		more = *end == ',';
		text = end + 1;
	}
	*out = parsed;
	return 0;
}

void amqp_endpoint_format(const struct amqp_endpoint *endpoint, char *out, size_t size)
{
	bool ipv6 = strchr(endpoint->host, ':') != NULL;

	snprintf(out, size, "amqp%s://%s%s%s:%u/%s", endpoint->tls ? "s" : "", ipv6 ? "[" : "", endpoint->host,
		 ipv6 ? "]" : "", (unsigned)endpoint->port, strcmp(endpoint->vhost, "/") == 0 ? "" : endpoint->vhost);
}
