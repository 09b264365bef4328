#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stddef.h>

#include "base/compiler.h"

/** Enough for a scheme, the longest host name and a port. */
#define HTTP_ORIGIN_SIZE 280

/**
 * Writes scheme, host and port of an http or https URL in one spelling ("https://example.com:443"):
 * requests with the same origin go to the same endpoint. Returns 0, -EPROTONOSUPPORT for
 * another scheme, -EINVAL for what is no URL.
 */
int http_url_origin(const char *url, char out[HTTP_ORIGIN_SIZE]) must_check;

#endif
