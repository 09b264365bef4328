#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

#include <stddef.h>

/** Room for any escaped error text, task reference or usual file name. */
#define ESCAPE_SIZE 1024

/**
 * Copies `text` into `out` so that it cannot steer a terminal or forge a line: control characters,
 * DEL, the C1 range, line separators and the marks that turn the direction of writing become
 * `\n`, `\x1b` or `\u202e`, and so do bytes that are no UTF-8; everything else stays readable. Cut at whole
 * characters when `size` does not suffice; always terminated. Returns `out`.
 */
const char *escape_text(const char *text, char *out, size_t size);

#endif
