#ifndef AMQP_BACKOFF_H
#define AMQP_BACKOFF_H

#include <stdint.h>

/** Waits between attempts that double up to a maximum, each drawn from its upper half so that a fleet spreads out. */
struct backoff {
	int64_t first_ms;
	int64_t max_ms;
	unsigned failures;
};

/** How long to wait before the next attempt. Counts one more failure. */
int64_t backoff_next_ms(struct backoff *b);

/** Begins again at the first wait. */
void backoff_reset(struct backoff *b);

#endif
