#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/** Characters that base64_encode() writes for `size` bytes, without the terminating zero. */
size_t base64_encoded_size(size_t size);

/** Upper bound of the bytes that `length` characters decode to. */
size_t base64_decoded_bound(size_t length);

/** Encodes with the standard alphabet and padding (RFC 4648 §4); `out` has encoded_size + 1 bytes. */
void base64_encode(const uint8_t *bytes, size_t size, char *out);

/**
 * Decodes the standard alphabet, padded, nothing else: no white space, no missing padding, no
 * stray bits. `out` has base64_decoded_bound(length) bytes. Returns the bytes written, or
 * -EINVAL with *where set to the index of the first bad character (where may be NULL).
 */
int64_t base64_decode(const char *text, size_t length, uint8_t *out, size_t *where) must_check;

#endif
