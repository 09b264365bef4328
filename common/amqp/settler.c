#include "amqp/settler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_OPEN, STATE_ACKED, STATE_SETTLED };

void settler_init(struct settler *s, const struct settler_ops *ops, void *arg)
{
	*s = (struct settler){.ops = ops, .arg = arg, .first = 1};
}

void settler_finish(struct settler *s)
{
	free(s->states);
	s->states = NULL;
}

void settler_reset(struct settler *s)
{
	s->count = 0;
	s->first = 1;
}

int settler_delivered(struct settler *s, uint64_t delivery)
{
	if (delivery != s->first + s->count)
		return -EPROTO;
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 256;
		uint8_t *more = realloc(s->states, capacity);
		if (!more)
			return -ENOMEM;
		s->states = more;
		s->capacity = capacity;
	}
	s->states[s->count++] = STATE_OPEN;
	return 0;
}

/* The state of a delivery, NULL when it was never delivered or is forgotten. */
static uint8_t *find(struct settler *s, uint64_t delivery)
{
	return delivery >= s->first && delivery - s->first < s->count ? &s->states[delivery - s->first] : NULL;
}

/* Forgets the oldest deliveries that are settled, with one frame for all acknowledgements among them. */
static int settle_oldest(struct settler *s)
{
	size_t done = 0;
	size_t acked = 0;
	size_t last = 0;

	for (; done < s->count && s->states[done] != STATE_OPEN; done++) {
		if (s->states[done] == STATE_ACKED) {
			last = done;
			acked++;
		}
	}
	if (done == 0)
		return 0;
	int r = acked > 0 ? s->ops->ack(s->arg, s->first + last, acked > 1) : 0;
	memmove(s->states, s->states + done, s->count - done);
	s->count -= done;
	s->first += done;
	return r;
}

int settler_apply(struct settler *s, const struct settlement *wishes, size_t count)
{
	int r = 0;

	if (count == 0)
		return 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		uint8_t *state = find(s, wishes[i].delivery);
		if (!state || *state != STATE_OPEN)
			continue;
		*state = wishes[i].how == AMQP_ACK ? STATE_ACKED : STATE_SETTLED;
		if (wishes[i].how != AMQP_ACK)
			r = s->ops->nack(s->arg, wishes[i].delivery, wishes[i].how == AMQP_REQUEUE);
	}
	if (r == 0)
		r = settle_oldest(s);
	/* What is left has an open delivery before it, so each needs a frame of its own. */
	for (size_t i = 0; r == 0 && i < count; i++) {
		uint8_t *state = find(s, wishes[i].delivery);
		if (state && *state == STATE_ACKED) {
			*state = STATE_SETTLED;
			r = s->ops->ack(s->arg, wishes[i].delivery, false);
		}
	}
	return r;
}
