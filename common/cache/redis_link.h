#ifndef CACHE_REDIS_LINK_H
#define CACHE_REDIS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "cache/redis_url.h"
#include "cache/redis_wire.h"

/**
 * One connection to Redis, of one thread at a time. Everything that waits does so until a monotonic `deadline_ns`, or
 * until `stop_fd` (an eventfd; -1: none) is readable.
 */
struct redis_link {
	int fd; /**< -1: none */
	struct redis_wire_reader reader;
	struct buffer command; /* reused */
};

/**
 * Connects, logs in and has a PING answered. Only the resolving of a name may take longer than the deadline. The errno
 * of `err` (connection) on failure; its text names the server, never what is secret.
 */
int redis_link_open(struct redis_link *link, const struct redis_url *url, int64_t deadline_ns, int stop_fd,
		    struct error *err) must_check;

/** Must not be used again, but to open it anew. */
void redis_link_close(struct redis_link *link);

/** False when the server has closed it, or has said something that nobody asked for. Never blocks. */
bool redis_link_is_quiet(const struct redis_link *link);

/**
 * Sends a command and reads its reply (freeReplyObject() it), which may be an error. Otherwise -ETIMEDOUT, -ECANCELED
 * (the stop_fd), -EPROTO (garbage), -ENOMEM or what befell the connection (-ECONNRESET at its end); then only
 * redis_link_close() is left.
 */
int redis_link_exchange(struct redis_link *link, const struct redis_argument *arguments, unsigned count,
			int64_t deadline_ns, int stop_fd, redisReply **reply) must_check;

/** PINGs. True when something that can be a reply came; an error is one, too. */
bool redis_link_is_alive(struct redis_link *link, int64_t deadline_ns, int stop_fd);

#endif
