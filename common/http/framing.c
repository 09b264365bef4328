#include "http/framing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/service_private.h"

/* What a header's name is made of (RFC 9110, 5.6.2). */
#define TOKEN "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static void read_length(struct framing *framing, const char *value)
{
	size_t digits = strspn(value, "0123456789");

	/* 15 digits: more than anybody is allowed, and no overflow. */
	framing->bad_length = framing->bad_length || digits == 0 || digits > 15 || value[digits] != '\0';
	framing->length = framing->bad_length ? 0 : strtoull(value, NULL, 10);
}

/*
 * libmicrohttpd puts a value that goes on in the next line together without a trace of it. But it does so in another
 * place, while a value of one line stays where it was read, behind the name, the colon and spaces. RFC 9112, 5.2 wants
 * such a request refused.
 */
static bool is_folded(const char *key, const char *value)
{
	uintptr_t at = (uintptr_t)key + strlen(key) + 1; /* the colon, now the end of the name */
	uintptr_t to = (uintptr_t)value;

	if (to < at || to - at > SERVICE_CONNECTION_MEMORY)
		return true;
	for (const char *c = (const char *)at; c < value; c++)
		if (*c != ' ' && *c != '\t' && *c != ':' && *c != '\0')
			return true;
	return false;
}

static enum MHD_Result look_at_header(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct framing *framing = arg;

	(void)kind;
	value = value ? value : "";
	/* "Content-Length : 5" is another header to libmicrohttpd, and this one to others. */
	if (key[0] == '\0' || key[strspn(key, TOKEN)] != '\0')
		framing->bad_name = true;
	if (value && value[0] != '\0' && is_folded(key, value))
		framing->folded = true;
	if (strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0) {
		framing->hosts++;
	} else if (strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
		framing->content_lengths++;
		read_length(framing, value);
	} else if (strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		framing->transfer_encodings++;
		framing->chunked = strcasecmp(value, "chunked") == 0;
	}
	return MHD_YES;
}

void framing_read(struct framing *framing, struct MHD_Connection *connection)
{
	*framing = (struct framing){0};
	MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at_header, framing);
}

bool framing_is_clear(const struct framing *framing, const char *version, struct http_problem *problem)
{
	const struct http_problem_kind *bad = &http_problem_bad_request;

	if (framing->transfer_encodings > 0 && framing->content_lengths > 0)
		http_problem_init(problem, bad, "has both Transfer-Encoding and Content-Length");
	else if (framing->transfer_encodings > 0 && strcmp(version, MHD_HTTP_VERSION_1_1) != 0)
		http_problem_init(problem, bad, "has a Transfer-Encoding, which only HTTP/1.1 knows");
	else if (framing->transfer_encodings > 1 || (framing->transfer_encodings == 1 && !framing->chunked))
		http_problem_init(problem, &http_problem_transfer_coding, "only chunked is known");
	else if (framing->content_lengths > 1 || framing->bad_length)
		http_problem_init(problem, bad, "has no sensible Content-Length");
	else if (framing->folded)
		http_problem_init(problem, bad, "has a header that goes on in the next line");
	else if (framing->bad_name)
		http_problem_init(problem, bad, "has a header with a malformed name");
	else if (framing->hosts > 1)
		http_problem_init(problem, bad, "has more than one Host");
	else
		return true;
	return false;
}
