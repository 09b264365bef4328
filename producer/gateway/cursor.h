#ifndef GATEWAY_CURSOR_H
#define GATEWAY_CURSOR_H

#include "base/compiler.h"
#include "store/tasks.h"

/** Enough for a cursor as text. */
#define CURSOR_SIZE 96

/** Writes where a page ended, as clients hand it back: base64url, of no meaning to them. */
void cursor_print(const struct tasks_cursor *cursor, char out[CURSOR_SIZE]);

/** Reads it back. False for what cursor_print() never writes; then `out` is left alone. */
bool cursor_parse(const char *text, struct tasks_cursor *out) must_check;

#endif
