#include "http/route.h"

#include <stdio.h>
#include <string.h>

#include "base/percent.h"

/* Matches one part, up to the next slash. 1: fits, 0: does not, -1: fits, but is no good. */
static int match_part(const char *pattern, size_t pattern_length, const char *part, size_t length,
		      struct route_parameters *parameters)
{
	if (pattern_length == 0 || pattern[0] != '{')
		return pattern_length == length && memcmp(pattern, part, length) == 0;
	if (length == 0 || parameters->count == HTTP_MAX_PARAMETERS)
		return -1;
	char *out = parameters->values[parameters->count++];
	return percent_decode(part, length, "path", out, HTTP_PARAMETER_SIZE, NULL) == 0 ? 1 : -1;
}

static int match(const char *pattern, const char *path, struct route_parameters *parameters)
{
	int result = 1;

	parameters->count = 0;
	while (*pattern == '/' && *path == '/') {
		size_t pattern_length = strcspn(++pattern, "/");
		size_t length = strcspn(++path, "/");
		int r = match_part(pattern, pattern_length, path, length, parameters);

		if (r == 0)
			return 0;
		if (r < 0)
			result = r;
		pattern += pattern_length;
		path += length;
	}
	return *pattern == '\0' && *path == '\0' ? result : 0;
}

static void allow_method(const char *method, char *allow, size_t size)
{
	size_t length = strlen(allow);
	bool readable = strcmp(method, "GET") == 0;

	snprintf(allow + length, size - length, "%s%s%s", length > 0 ? ", " : "", method, readable ? ", HEAD" : "");
}

enum route_outcome route_find(const struct http_route *routes, unsigned count, const char *method, const char *path,
			      const struct http_route **found, struct route_parameters *parameters, char *allow,
			      size_t allow_size)
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
	enum route_outcome outcome = ROUTE_NO_PATH;

	allow[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		int r = match(routes[i].path, path, parameters);

		if (r == 0)
			continue;
		if (strcmp(routes[i].method, wanted) == 0) {
			*found = &routes[i];
			return r > 0 ? ROUTE_FOUND : ROUTE_BAD_PATH;
		}
		allow_method(routes[i].method, allow, allow_size);
		outcome = ROUTE_NO_METHOD;
	}
	return outcome;
}
