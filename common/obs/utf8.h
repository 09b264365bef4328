#ifndef OBS_UTF8_H
#define OBS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/** U+FFFD, what stands in the place of bytes that are no text. */
#define UTF8_REPLACEMENT "\xEF\xBF\xBD"

/**
 * Decodes the character at the start of `text` (size ≥ 1). Returns its length, 1 to 4 bytes, and
 * sets *code; 0 if the bytes are malformed: overlong, a surrogate, above U+10FFFF or cut short
 * (RFC 3629 §4).
 */
size_t utf8_decode(const char *text, size_t size, uint32_t *code);

#endif
