#include "form.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_HEADERS_BYTES 4096 /* of one part */

/* What is left of the body. */
struct cursor {
	const char *at;
	const char *end;
};

static int refuse(struct error *err, unsigned part, const char *problem)
{
	return error_set(err, ERROR_INVALID_JOB, "part %u %s", part, problem);
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* --- header values ------------------------------------------------------------------------------ */

/*
 * Reads `; name=value` or `; name="value"` at *at. 1: read, 0: there is none, -1: malformed, or does not fit.
 */
static int read_parameter(const char **at, char *name, size_t name_size, char *value, size_t value_size)
{
	const char *p = skip_blanks(*at);
	size_t length;

	if (*p == '\0')
		return 0;
	if (*p++ != ';')
		return -1;
	p = skip_blanks(p);
	length = strcspn(p, "=; \t\"");
	if (length == 0 || length >= name_size || p[length] != '=')
		return -1;
	snprintf(name, name_size, "%.*s", (int)length, p);
	p += length + 1;
	length = 0;
	if (*p == '"') {
		for (p++; *p != '"'; p++) {
			if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
				p++;
			if (*p == '\0' || length + 1 >= value_size)
				return -1;
			value[length++] = *p;
		}
		p++;
	} else {
		for (; *p != '\0' && !strchr("; \t\"", *p); p++) {
			if (length + 1 >= value_size)
				return -1;
			value[length++] = *p;
		}
	}
	value[length] = '\0';
	*at = p;
	return 1;
}

/* True if `value` is `type`, with or without parameters; *rest is where these begin. */
static bool is_type(const char *value, const char *type, const char **rest)
{
	size_t length = strlen(type);

	value = skip_blanks(value);
	if (strncasecmp(value, type, length) != 0)
		return false;
	*rest = value + length;
	return **rest == '\0' || strchr("; \t", **rest);
}

/* RFC 2046, 5.1.1; no space, which nobody uses. */
static bool is_boundary(const char *text)
{
	size_t length = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=?");

	return length > 0 && length < FORM_BOUNDARY_SIZE && text[length] == '\0';
}

bool form_is_wanted(const char *content_type, char boundary[FORM_BOUNDARY_SIZE])
{
	char name[32];
	char value[FORM_BOUNDARY_SIZE];
	const char *at;
	unsigned found = 0;
	int r;

	boundary[0] = '\0';
	if (!is_type(content_type, "multipart/form-data", &at))
		return false;
	while ((r = read_parameter(&at, name, sizeof(name), value, sizeof(value))) > 0) {
		if (strcasecmp(name, "boundary") != 0)
			continue;
		found++;
		snprintf(boundary, FORM_BOUNDARY_SIZE, "%s", value);
	}
	if (r < 0 || found != 1 || !is_boundary(boundary))
		boundary[0] = '\0';
	return true;
}

/* --- parts --------------------------------------------------------------------------------------- */

/* Content-Disposition: form-data; name="…"; filename="…". Returns a phrase if it is no good. */
static const char *read_disposition(struct form_part *part, const char *value)
{
	char name[32];
	char text[1024];
	const char *at;
	int r;

	if (!is_type(value, "form-data", &at))
		return "is not form-data";
	if (part->name[0] != '\0')
		return "has two names";
	while ((r = read_parameter(&at, name, sizeof(name), text, sizeof(text))) > 0) {
		if (strcasecmp(name, "name") == 0) {
			if (part->name[0] != '\0')
				return "has two names";
			if (strlen(text) > FORM_MAX_NAME_BYTES)
				return "has a name that is too long";
			snprintf(part->name, sizeof(part->name), "%s", text);
		} else if (strcasecmp(name, "filename") == 0 || strcasecmp(name, "filename*") == 0) {
			part->is_file = true;
		}
	}
	return r < 0 ? "has a malformed Content-Disposition" : NULL;
}

static const char *read_header(struct form_part *part, const char *line)
{
	const char *colon = strchr(line, ':');
	size_t length = colon ? (size_t)(colon - line) : 0;
	const char *rest;

	if (length == 0)
		return "has a malformed header";
	const char *value = skip_blanks(colon + 1);
	if (length == 19 && strncasecmp(line, "Content-Disposition", length) == 0)
		return read_disposition(part, value);
	if (length == 12 && strncasecmp(line, "Content-Type", length) == 0 && !is_type(value, "text/plain", &rest))
		part->is_file = true;
	if (length == 25 && strncasecmp(line, "Content-Transfer-Encoding", length) == 0 &&
	    !is_type(value, "binary", &rest) && !is_type(value, "8bit", &rest) && !is_type(value, "7bit", &rest))
		return "has a Content-Transfer-Encoding";
	return NULL;
}

/* The headers of a part, up to the empty line. */
static const char *read_headers(struct form_part *part, struct cursor *c)
{
	const char *begin = c->at;
	char line[2048];

	for (;;) {
		const char *end = memmem(c->at, (size_t)(c->end - c->at), "\r\n", 2);
		size_t length = end ? (size_t)(end - c->at) : sizeof(line);

		if (length >= sizeof(line) || end - begin > MAX_HEADERS_BYTES)
			return "has no end of its headers, or too many";
		if (memchr(c->at, '\0', length) || memchr(c->at, '\r', length) || memchr(c->at, '\n', length))
			return "has a malformed header";
		memcpy(line, c->at, length);
		line[length] = '\0';
		c->at = end + 2;
		if (length == 0)
			return NULL;
		const char *problem = read_header(part, line);
		if (problem)
			return problem;
	}
}

/* Behind a delimiter: 1 if it was the last, 0 if a part follows, -1 if neither. */
static int end_delimiter(struct cursor *c)
{
	if (c->end - c->at >= 2 && memcmp(c->at, "--", 2) == 0)
		return 1;
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
	if (c->end - c->at < 2 || memcmp(c->at, "\r\n", 2) != 0)
		return -1;
	c->at += 2;
	return 0;
}

static int read_part(struct form *form, struct cursor *c, const char *delimiter, struct error *err)
{
	unsigned number = form->count + 1;
	struct form_part *part = &form->parts[form->count];

	if (form->count == FORM_MAX_PARTS)
		return error_set(err, ERROR_INVALID_JOB, "more than %d parts", FORM_MAX_PARTS);
	*part = (struct form_part){0};
	const char *problem = read_headers(part, c);
	if (problem)
		return refuse(err, number, problem);
	if (part->name[0] == '\0')
		return refuse(err, number, "has no name");
	/* An empty part: the line break before the delimiter is that of the empty line. */
	const char *from = c->at - 2;
	const char *end = memmem(from, (size_t)(c->end - from), delimiter, strlen(delimiter));
	if (!end)
		return refuse(err, number, "has no end: is the boundary missing, or the body cut?");
	part->data = (const uint8_t *)c->at;
	part->size = end > c->at ? (size_t)(end - c->at) : 0;
	c->at = end + strlen(delimiter);
	form->count++;
	return 0;
}

int form_parse(struct form *form, const char *boundary, const uint8_t *body, size_t size, struct error *err)
{
	struct cursor c = {(const char *)body, (const char *)body + size};
	char delimiter[FORM_BOUNDARY_SIZE + 4];
	int last;

	form->count = 0;
	snprintf(delimiter, sizeof(delimiter), "\r\n--%s", boundary);
	/* The first one may stand at the very beginning; what is before it is nobody's. */
	size_t length = strlen(delimiter) - 2;
	if (size >= length && memcmp(body, delimiter + 2, length) == 0) {
		c.at += length;
	} else {
		c.at = size > 0 ? memmem(body, size, delimiter, length + 2) : NULL;
		if (!c.at)
			return error_set(err, ERROR_INVALID_JOB, "the body does not contain its boundary");
		c.at += length + 2;
	}
	while ((last = end_delimiter(&c)) == 0) {
		int r = read_part(form, &c, delimiter, err);

		if (r < 0)
			return r;
	}
	if (last < 0)
		return error_set(err, ERROR_INVALID_JOB, "a boundary is followed by something else than a part");
	return 0;
}
