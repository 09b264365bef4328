#ifndef CALLBACK_SIGNATURE_H
#define CALLBACK_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/*
 * Signatures of Standard Webhooks 1.0 (https://www.standardwebhooks.com), symmetric: HMAC-SHA256
 * over `id.timestamp.body`.
 */

/** Keys that may be in use at once: two while one is replaced by another, and room to spare. */
#define SIGNATURE_MAX_KEYS 4

/** The secret keys that callbacks are signed with. */
struct signature_keys;

/**
 * Parses keys separated by spaces, each `whsec_` and 24 to 64 bytes in base64. At least one is
 * needed. On refusal `err` (config) says which one is wrong (counted from 1) and why, without
 * showing any part of it.
 */
int signature_keys_new(struct signature_keys **out, const char *text, struct error *err) must_check;

/** Wipes the keys and frees them. NULL is fine. */
void signature_keys_free(struct signature_keys *keys);

/**
 * Appends the value of the `webhook-signature` header to `out`: one `v1,<base64>` for each key,
 * separated by spaces. `timestamp` is in unix seconds. Any thread. Returns 0, -ENOMEM or -EMSGSIZE.
 */
int signature_sign(const struct signature_keys *keys, const char *id, int64_t timestamp, const uint8_t *body,
		   size_t size, struct buffer *out) must_check;

#endif
