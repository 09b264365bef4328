#ifndef JOB_UTF8_H
#define JOB_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Bytes of the well-formed UTF-8 character (RFC 3629: shortest form, no surrogates, up to U+10FFFF)
 * at the start of `text`, 1 to 4; 0 when it is ill-formed or cut by `length`.
 */
size_t utf8_character(const char *text, size_t length);

/** True if all `length` bytes are well-formed UTF-8. */
bool utf8_is_valid(const char *text, size_t length);

#endif
