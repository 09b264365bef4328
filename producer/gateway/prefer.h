#ifndef GATEWAY_PREFER_H
#define GATEWAY_PREFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/** What a client prefers (RFC 7240). */
struct prefer {
	bool has_wait;
	int64_t wait_ms;    /**< clamped */
	bool respond_async; /**< 202 is welcome; at once unless `wait` says after how long */
};

/** Reads a Prefer header (NULL: none); preferences it does not know, or that are malformed, are ignored. */
void prefer_read(struct prefer *out, const char *header, int64_t max_wait_ms);

#endif
