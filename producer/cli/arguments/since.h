#ifndef CLI_SINCE_H
#define CLI_SINCE_H

#include <stdint.h>

#include "base/compiler.h"

/**
 * Reads a time as people give it: RFC 3339, or how long before `now_ms` as a whole number with s, m, h or d. Unix
 * milliseconds into *out; 0 or -EINVAL.
 */
int since_parse(const char *text, int64_t now_ms, int64_t *out) must_check;

#endif
