#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

/**
 * Undoes the percent-encoding (RFC 3986, 2.1) of a part of a URL into `out`, of `size` bytes with the end. An error
 * (`config`) begins with `what` and says nothing of the content: a % without two hex digits, a control character, or
 * more than there is room for. Returns 0 or error_set()'s errno; `out` is half written then. Any thread.
 */
int percent_decode(const char *text, size_t length, const char *what, char *out, size_t size,
		   struct error *err) must_check;

#endif
