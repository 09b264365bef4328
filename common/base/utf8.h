#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** U+FFFD, what stands in the place of bytes that are no text. */
#define UTF8_REPLACEMENT "\xEF\xBF\xBD"

/**
 * Decodes the character at the start of the `size` bytes of `text`. Returns its length, 1 to 4
 * bytes, and sets *code (which may be NULL); 0 if there is none or the bytes are malformed:
 * overlong, a surrogate, above U+10FFFF or cut short (RFC 3629 §4).
 */
size_t utf8_decode(const char *text, size_t size, uint32_t *code);

/** True if all `size` bytes are well-formed UTF-8. */
bool utf8_is_valid(const char *text, size_t size);

#endif
