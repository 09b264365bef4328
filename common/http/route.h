#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "http/service.h"

/* Finding the route of a request. Inside of common/http. */

/** What stood in a path where its route has braces. */
struct route_parameters {
	unsigned count;
	char values[HTTP_MAX_PARAMETERS][HTTP_PARAMETER_SIZE];
};

enum route_outcome {
	ROUTE_FOUND,
	ROUTE_NO_PATH,
	ROUTE_NO_METHOD, /**< the path is known, with other methods */
	ROUTE_BAD_PATH   /**< a parameter is too long, empty or badly encoded */
};

/**
 * Finds the route of a path as it came (still percent-encoded, without query). With ROUTE_NO_METHOD `allow` gets the
 * methods that the path knows ("GET, HEAD, POST").
 */
enum route_outcome route_find(const struct http_route *routes, unsigned count, const char *method, const char *path,
			      const struct http_route **found, struct route_parameters *parameters, char *allow,
			      size_t allow_size) must_check;

#endif
