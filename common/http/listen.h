#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/**
 * Opens a listening TCP socket (non-blocking, close-on-exec) on "host:port", "[v6 address]:port" or
 * ":port" (every address). Port 0 picks a free one; *port says which. Returns the descriptor, or a
 * negative errno with `err` (config) set. Blocking when the host is a name.
 */
int listen_open(const char *where, uint16_t *port, struct error *err) must_check;

#endif
