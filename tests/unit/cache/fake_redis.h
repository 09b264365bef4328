#ifndef UNIT_CACHE_FAKE_REDIS_H
#define UNIT_CACHE_FAKE_REDIS_H

#include <stddef.h>

/**
 * A server of one thread that answers the login of each connection as Redis does, and whatever comes then with a text
 * of the test's choice.
 */
struct fake_redis;

struct fake_redis_answer {
	const char *text;
	size_t size;
	unsigned piece; /**< bytes at once, a while between them; 0: all */
	enum { FAKE_STAYS, FAKE_CLOSES } then;
};

/** Ends the test program when it cannot be. */
struct fake_redis *fake_redis_new(void);
void fake_redis_free(struct fake_redis *fake);

/** redis://… of it; lives as long as it. */
const char *fake_redis_url(const struct fake_redis *fake);

/** From the next command on. `answer` outlives the server. */
void fake_redis_answers(struct fake_redis *fake, const struct fake_redis_answer *answer);

/** Answers that it has sent to their end, the login's aside. */
unsigned fake_redis_answered(const struct fake_redis *fake);

/** Connections so far. */
unsigned fake_redis_connections(const struct fake_redis *fake);

#endif
