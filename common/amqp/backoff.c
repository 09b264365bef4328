#include "amqp/backoff.h"

#include "base/random.h"

int64_t backoff_next_ms(struct backoff *b)
{
	int64_t wait = b->first_ms;

	for (unsigned i = 0; i < b->failures && wait < b->max_ms; i++)
		wait *= 2;
	if (wait > b->max_ms)
		wait = b->max_ms;
	b->failures++;
	return random_between(wait / 2, wait);
}

void backoff_reset(struct backoff *b)
{
	b->failures = 0;
}
