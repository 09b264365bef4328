#ifndef CACHE_PEOPLE_ENTRY_H
#define CACHE_PEOPLE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "store/people.h"

/* How a person is written down: in the process's cache as one run of bytes, in Redis as a hash. */

/** Appends a person. Returns as buffer_append(). */
int people_entry_write(const struct people_person *person, struct buffer *out) must_check;

/** Reads what people_entry_write() wrote; free with people_finish(). Returns 0, -EBADMSG or -ENOMEM. */
int people_entry_read(const uint8_t *bytes, size_t size, struct people_person *out) must_check;

struct redisReply;

/**
 * Reads the answer to HGETALL, which anybody may have written: embeddings must have `dimension` numbers
 * and length 1. Free with people_finish(). Returns 0 (no images: a version alone; version 0: nothing there), -EBADMSG
 * or -ENOMEM.
 */
int people_entry_read_hash(const struct redisReply *reply, int dimension, struct people_person *out) must_check;

#endif
