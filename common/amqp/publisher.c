#include "amqp/publisher.h"

#include <stdlib.h>
#include <string.h>

#define MAX_REFUSALS 2

void publisher_init(struct publisher *p, unsigned window, const struct publisher_ops *ops, void *arg)
{
	*p = (struct publisher){.ops = ops, .arg = arg, .window = window};
	TAILQ_INIT(&p->backlog);
	TAILQ_INIT(&p->unconfirmed);
}

void publisher_accept(struct publisher *p, struct publication_list *list)
{
	TAILQ_CONCAT(&p->backlog, list, entry);
}

bool publisher_has_work(const struct publisher *p)
{
	return p->in_flight < p->window && !TAILQ_EMPTY(&p->backlog);
}

int publisher_pump(struct publisher *p, size_t max_bytes)
{
	size_t sent = 0;

	while (publisher_has_work(p) && sent <= max_bytes) {
		struct publication *item = TAILQ_FIRST(&p->backlog);
		/* Counted as sent before it is: after an error nobody knows how much of it arrived. */
		TAILQ_REMOVE(&p->backlog, item, entry);
		TAILQ_INSERT_TAIL(&p->unconfirmed, item, entry);
		item->tag = ++p->last_tag;
		p->in_flight++;
		sent += item->message->body_size + 1;
		int r = p->ops->send(p->arg, item->message);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Ends a publication that is on no list any more. */
static void finish(struct publisher *p, struct publication *item, enum amqp_outcome outcome)
{
	if (item->done)
		item->done(item->arg, outcome, item->message);
	p->ops->finished(p->arg, outcome);
	amqp_message_free(item->message);
	free(item);
}

static void finish_unconfirmed(struct publisher *p, struct publication *item, enum amqp_outcome outcome)
{
	TAILQ_REMOVE(&p->unconfirmed, item, entry);
	p->in_flight--;
	finish(p, item, outcome == AMQP_CONFIRMED && item->returned ? AMQP_RETURNED : outcome);
}

void publisher_settle(struct publisher *p, uint64_t tag, bool multiple, enum amqp_outcome outcome)
{
	struct publication *item = TAILQ_FIRST(&p->unconfirmed);

	while (item && item->tag <= tag) {
		struct publication *next = TAILQ_NEXT(item, entry);
		if (multiple || item->tag == tag)
			finish_unconfirmed(p, item, outcome);
		item = next;
	}
}

void publisher_returned(struct publisher *p, const struct amqp_delivery *returned)
{
	struct publication *item;

	/* A return carries no tag; of several copies of one message the oldest comes back first. */
	TAILQ_FOREACH(item, &p->unconfirmed, entry)
	{
		const struct amqp_message *m = item->message;
		if (m->mandatory && !item->returned && strcmp(m->exchange, returned->exchange) == 0 &&
		    strcmp(m->routing_key, returned->routing_key) == 0 &&
		    strcmp(m->envelope.message_id, returned->envelope.message_id) == 0) {
			item->returned = true;
			return;
		}
	}
}

void publisher_refused(struct publisher *p, const char *exchange)
{
	struct publication *item = TAILQ_FIRST(&p->unconfirmed);

	while (item) {
		struct publication *next = TAILQ_NEXT(item, entry);
		if (strcmp(item->message->exchange, exchange) == 0 && ++item->refusals >= MAX_REFUSALS)
			finish_unconfirmed(p, item, AMQP_NACKED);
		item = next;
	}
}

void publisher_refused_above(struct publisher *p, size_t max_bytes)
{
	struct publication *item = TAILQ_FIRST(&p->unconfirmed);

	while (item) {
		struct publication *next = TAILQ_NEXT(item, entry);
		if (item->message->body_size > max_bytes)
			finish_unconfirmed(p, item, AMQP_NACKED);
		item = next;
	}
}

void publisher_reset(struct publisher *p)
{
	struct publication *item;

	TAILQ_FOREACH(item, &p->unconfirmed, entry)
	{
		item->returned = false;
	}
	TAILQ_CONCAT(&p->unconfirmed, &p->backlog, entry);
	TAILQ_CONCAT(&p->backlog, &p->unconfirmed, entry);
	p->in_flight = 0;
	p->last_tag = 0;
}

void publisher_finish(struct publisher *p)
{
	struct publication *item;

	publisher_reset(p);
	while ((item = TAILQ_FIRST(&p->backlog))) {
		TAILQ_REMOVE(&p->backlog, item, entry);
		finish(p, item, AMQP_ABANDONED);
	}
}
