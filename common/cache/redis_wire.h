#ifndef CACHE_REDIS_WIRE_H
#define CACHE_REDIS_WIRE_H

#include <hiredis/hiredis.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "cache/redis.h"

/* What goes over a connection to Redis: commands, and replies that anybody may have written. */

/** Appends a command. Returns as buffer_append(). */
int redis_wire_command(struct buffer *out, const struct redis_argument *arguments, unsigned count) must_check;

/**
 * hiredis's parser, which by itself allocates whatever an array announces, with bounds. Memory is taken for what has
 * arrived, never for what was announced.
 */
struct redis_wire_reader {
	redisReader *reader;
	redisReplyObjectFunctions functions;
	void *(*create_array)(const redisReadTask *task, int elements); /* hiredis's own */
	size_t bytes;                                                   /* of the reply so far */
	unsigned elements;                                              /* announced so far */
	unsigned max_elements; /**< of all arrays of a reply; may be changed between replies */
};

/** Must not move afterwards. Returns 0 or -ENOMEM. */
int redis_wire_reader_init(struct redis_wire_reader *r) must_check;
/** A zeroed one is fine. */
void redis_wire_reader_finish(struct redis_wire_reader *r);

/**
 * Reads on. Returns 1 with a whole reply (freeReplyObject() it), 0 when more has to come, or -EPROTO: no reply, too
 * large a one, or something behind it that nobody asked for. After an error only redis_wire_reader_finish() is left.
 */
int redis_wire_reader_feed(struct redis_wire_reader *r, const void *bytes, size_t size, redisReply **reply) must_check;

#define REDIS_WIRE_WORD_SIZE 24

/**
 * What kind of error a reply is: its first word if that is in capitals ("WRONGPASS"), else "ERR". The rest is not for
 * logs: a server quotes the command there, and so perhaps the password.
 */
void redis_wire_error_word(const redisReply *reply, char out[REDIS_WIRE_WORD_SIZE]);

#endif
