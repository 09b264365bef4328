#ifndef TRACKER_CLERK_H
#define TRACKER_CLERK_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/backoff.h"
#include "amqp/link.h"
#include "base/compiler.h"
#include "base/mailbox.h"
#include "batch.h"
#include "message.h"
#include "meters.h"

/*
 * The messages in hand: arrived → waiting → in the batch → acked; or unreadable → parked → acked. One thread owns it;
 * what others have to say comes through the mailbox.
 */

/** A batch goes when it is full, or its first message has waited so long. */
#define CLERK_GATHER_MS 5

/** What the clerk works with; everything outlives it. Functions in place of links and threads, for the tests. */
struct clerk_tools {
	struct mailbox *box;
	unsigned batch_size;
	struct meters *meters;
	/** To the store thread, which posts it when it is done. */
	void (*give)(void *arg, struct batch *batch);
	void (*settle)(void *arg, struct amqp_tag tag, enum amqp_settlement settlement);
	/** As amqp_link_publish(). */
	int (*publish)(void *arg, struct amqp_message *message, amqp_outcome_fn *done, void *done_arg);
	/** Stops and resumes consuming. */
	void (*pause)(void *arg, bool paused);
	void *arg;
};

struct clerk {
	struct clerk_tools tools;
	struct message_list waiting; /**< read, oldest first */
	struct message_list parking; /**< on their way to the parked messages */
	struct batch batch;
	bool batch_is_out; /**< the store thread has it */
	bool paused;       /**< the store is out of reach */
	bool closing;
	int64_t again_ms; /**< nothing is given before */
	struct backoff backoff;
	unsigned in_hand;
	uint64_t lost; /**< deliveries up to this generation are the broker's again */
};

/** Returns 0 or -ENOMEM. */
int clerk_init(struct clerk *clerk, const struct clerk_tools *tools) must_check;

/** Frees what is left in hand, unsettled. Links and store thread are gone by then. */
void clerk_finish(struct clerk *clerk);

/** Handles all mail. */
void clerk_read_mail(struct clerk *clerk, int64_t now_ms);

/** Gives a batch to the store thread if one is due, and offers again what could not be parked. */
void clerk_tick(struct clerk *clerk, int64_t now_ms);

/** For how long nothing is due but what the mailbox says; at most `most_ms`. */
int clerk_idle_ms(const struct clerk *clerk, int64_t now_ms, int most_ms);

/** Says that the consuming connection of this generation is gone: what waits is dropped, it comes again. */
void clerk_lose(struct clerk *clerk, uint64_t generation);

/** From now on batches go at once, and what cannot be recorded goes back to the queue. */
void clerk_close(struct clerk *clerk);

/** True when nothing is in hand. */
bool clerk_is_idle(const struct clerk *clerk);

#endif
