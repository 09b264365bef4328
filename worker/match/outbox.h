#ifndef MATCH_OUTBOX_H
#define MATCH_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "meters.h"
#include "roster.h"
#include "task.h"

/**
 * What a worker says: events, replies, further attempts, parked messages. A task that was handed
 * over is settled when everything said about it is safe: the reply (or the retry, or the parked
 * copy) confirmed by the broker, the requester's own copy confirmed, returned or refused. While
 * the broker refuses replies nothing new is consumed, and they are published again until it
 * takes them.
 */
struct outbox;

struct outbox_settings {
	struct amqp_link *publisher;
	struct roster *roster;
	struct meters *meters;
	const char *worker; /**< the name in replies and events */
	/** Stops or starts consuming, when replies are refused or taken again. Any thread; must not block. */
	void (*hold)(void *arg, bool hold);
	void *arg;
};

struct outbox *outbox_new(const struct outbox_settings *settings) must_check;

/** NULL is fine. After the publishing link is freed, so that no outcome comes any more. */
void outbox_free(struct outbox *outbox);

/** Announces TASK_RUNNING, TASK_FAILED or TASK_RETRYING; `next_attempt_at_ms` is for the last. Keeps no hold of `task`.
 */
void outbox_event(struct outbox *outbox, const struct task *task, enum task_state state, int64_t next_attempt_at_ms);

/** Publishes the task's reply, state and result or error set, and takes the task over. */
void outbox_reply(struct outbox *outbox, struct task *task);

/** Like outbox_reply(), with the reply that was given before, as it was; it is taken over. */
void outbox_reply_again(struct outbox *outbox, struct task *task, struct reply *recorded);

/** Like outbox_reply(), and parks the job itself with `reason` for a person to look at. */
void outbox_reply_and_park(struct outbox *outbox, struct task *task, const char *reason);

/** Sends the job to the retry queue for its next attempt, after `delay_ms`; takes the task over. */
void outbox_retry(struct outbox *outbox, struct task *task, int64_t delay_ms);

/** Publishes again what was refused; call it a few times a second from a thread that may. */
void outbox_tick(struct outbox *outbox);

/** True while replies are being refused. Any thread. */
bool outbox_refused(struct outbox *outbox);

#endif
