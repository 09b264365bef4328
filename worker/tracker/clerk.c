#include "clerk.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "obs/log.h"

/* While the store is out of reach. */
#define RETRY_FIRST_MS 200
#define RETRY_MAX_MS 5000
/* How often a message that the broker refused to park is offered again. */
#define PARK_PAUSE_MS 1000

int clerk_init(struct clerk *clerk, const struct clerk_tools *tools)
{
	*clerk = (struct clerk){.tools = *tools, .backoff = {.first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS}};
	TAILQ_INIT(&clerk->waiting);
	TAILQ_INIT(&clerk->parking);
	return batch_init(&clerk->batch, tools->batch_size, tools->box);
}

static void free_all(struct message_list *list)
{
	struct message *message;

	while ((message = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, message, entry);
		message_free(message);
	}
}

static void free_arrivals(struct mailbox *box)
{
	struct mail *next;

	for (struct mail *mail = mailbox_take(box); mail; mail = next) {
		struct message *message = (struct message *)mail;

		next = mail->next;
		if (message->letter.news == LETTER_ARRIVED)
			message_free(message);
	}
}

void clerk_finish(struct clerk *clerk)
{
	free_arrivals(clerk->tools.box);
	for (unsigned i = 0; i < clerk->batch.count; i++)
		message_free(clerk->batch.messages[i]);
	batch_finish(&clerk->batch);
	free_all(&clerk->waiting);
	free_all(&clerk->parking);
}

static bool is_lost(const struct clerk *clerk, const struct message *message)
{
	return message->delivery->tag.generation <= clerk->lost;
}

/* Lets go of a message that is in no list. */
static void let_go(struct clerk *clerk, struct message *message)
{
	clerk->in_hand--;
	message_free(message);
}

static void settle(struct clerk *clerk, struct message *message, enum amqp_settlement settlement)
{
	clerk->tools.settle(clerk->tools.arg, message->delivery->tag, settlement);
	let_go(clerk, message);
}

static void count(struct clerk *clerk, const struct message *message, enum message_outcome outcome)
{
	metric_add(clerk->tools.meters->messages[message->kind][outcome], 1);
}

/* --- parking ------------------------------------------------------------------------------ */

/* On the publishing link's thread. */
static void take_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *copy)
{
	struct message *message = arg;

	(void)copy;
	message->published = outcome;
	letter_post(&message->letter, LETTER_PUBLISHED);
}

static void stall(struct message *message, const char *why)
{
	if (message->again_ms == 0)
		log_warning(NULL, "message kept in hand: the broker does not park it", log_string("why", why));
	message->stalled = true;
	message->again_ms = clock_monotonic_ms() + PARK_PAUSE_MS;
}

static void offer(struct clerk *clerk, struct message *message)
{
	struct amqp_message *copy = message_park(message);
	int r = copy ? clerk->tools.publish(clerk->tools.arg, copy, take_outcome, message) : -ENOMEM;

	message->stalled = false;
	if (r == -EMSGSIZE) {
		log_error(NULL, "message dropped: it is too large to be parked",
			  log_integer("bytes", (int64_t)message->delivery->body_size));
		TAILQ_REMOVE(&clerk->parking, message, entry);
		settle(clerk, message, AMQP_DEAD_LETTER);
	} else if (r < 0) {
		stall(message, strerror(-r));
	}
}

static void park(struct clerk *clerk, struct message *message, const char *what, const struct error *err)
{
	snprintf(message->reason, sizeof(message->reason), "%s: %.200s", what, err->text);
	log_warning(NULL, "message parked", log_string("reason", message->reason),
		    log_string("message_id", message->delivery->envelope.message_id));
	count(clerk, message, MESSAGE_PARKED);
	TAILQ_INSERT_TAIL(&clerk->parking, message, entry);
	offer(clerk, message);
}

static void handle_published(struct clerk *clerk, struct message *message)
{
	if (is_lost(clerk, message) || message->published == AMQP_CONFIRMED) {
		TAILQ_REMOVE(&clerk->parking, message, entry);
		settle(clerk, message, AMQP_ACK);
	} else if (message->published == AMQP_ABANDONED) {
		TAILQ_REMOVE(&clerk->parking, message, entry);
		settle(clerk, message, AMQP_REQUEUE);
	} else {
		stall(message,
		      message->published == AMQP_RETURNED ? "its queue does not exist" : "its queue refused it");
	}
}

/* --- arrivals ----------------------------------------------------------------------------- */

static void handle_arrival(struct clerk *clerk, struct message *message, int64_t now_ms)
{
	struct error err = {0};

	clerk->in_hand++;
	message->arrived_ms = now_ms;
	if (is_lost(clerk, message)) {
		let_go(clerk, message);
	} else if (message_read(message, &err) == 0) {
		TAILQ_INSERT_TAIL(&clerk->waiting, message, entry);
	} else if (err.class == ERROR_CLASS_REJECT) {
		message->kind = MESSAGE_UNREADABLE;
		park(clerk, message, "not an event, reply or delivery", &err);
	} else {
		settle(clerk, message, AMQP_REQUEUE);
	}
}

/* --- batches ------------------------------------------------------------------------------ */

static bool is_due(const struct clerk *clerk, int64_t now_ms)
{
	const struct message *first = TAILQ_FIRST(&clerk->waiting);

	if (!first || clerk->batch_is_out || now_ms < clerk->again_ms)
		return false;
	return clerk->closing || clerk->in_hand >= clerk->batch.size || now_ms - first->arrived_ms >= CLERK_GATHER_MS;
}

static void give(struct clerk *clerk)
{
	struct message *message;

	while (batch_has_room(&clerk->batch) && (message = TAILQ_FIRST(&clerk->waiting))) {
		TAILQ_REMOVE(&clerk->waiting, message, entry);
		batch_add(&clerk->batch, message);
	}
	clerk->batch_is_out = true;
	clerk->tools.give(clerk->tools.arg, &clerk->batch);
}

static void note_lag(struct clerk *clerk, const struct batch *batch)
{
	int64_t newest_ms = 0;
	int64_t now_ms = clock_unix_ms();

	for (unsigned i = 0; i < batch->count; i++) {
		int64_t said_ms = message_said_ms(batch->messages[i]);

		newest_ms = said_ms > newest_ms ? said_ms : newest_ms;
	}
	metric_set(clerk->tools.meters->lag_seconds, newest_ms < now_ms ? (double)(now_ms - newest_ms) / 1000 : 0);
}

static void take_again(struct clerk *clerk)
{
	if (clerk->paused && !clerk->closing)
		clerk->tools.pause(clerk->tools.arg, false);
	clerk->paused = false;
}

static void finish_recorded(struct clerk *clerk, struct batch *batch)
{
	const struct error refused = {.text = "it alone failed, others did not"};
	unsigned change = 0;

	note_lag(clerk, batch);
	for (unsigned i = 0; i < batch->count; i++) {
		struct message *message = batch->messages[i];
		bool accepted = message->kind == MESSAGE_DELIVERY || batch->accepted[change++];

		if (batch->refused[i]) {
			park(clerk, message, "the store does not take it", &refused);
			continue;
		}
		count(clerk, message, accepted ? MESSAGE_ACCEPTED : MESSAGE_REPEATED);
		settle(clerk, message, AMQP_ACK);
	}
	backoff_reset(&clerk->backoff);
	clerk->again_ms = 0;
	take_again(clerk);
}

/* First in line, in their order. */
static void put_back(struct clerk *clerk, struct batch *batch)
{
	for (unsigned i = batch->count; i-- > 0;)
		TAILQ_INSERT_HEAD(&clerk->waiting, batch->messages[i], entry);
}

/* Last in line: if one of them is to blame, it is found out beside others. */
static void put_last(struct clerk *clerk, struct batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++)
		TAILQ_INSERT_TAIL(&clerk->waiting, batch->messages[i], entry);
}

static void return_waiting(struct clerk *clerk)
{
	struct message *message;

	while ((message = TAILQ_FIRST(&clerk->waiting))) {
		TAILQ_REMOVE(&clerk->waiting, message, entry);
		settle(clerk, message, AMQP_REQUEUE);
	}
}

/* While the store is out of reach nothing more is taken: other trackers may reach it. */
static void keep_failed(struct clerk *clerk, struct batch *batch, int64_t now_ms)
{
	bool unreachable = batch->err.code != ERROR_INTERNAL;

	if (unreachable)
		put_back(clerk, batch);
	else
		put_last(clerk, batch);
	if (clerk->closing) {
		return_waiting(clerk);
		return;
	}
	clerk->again_ms = now_ms + backoff_next_ms(&clerk->backoff);
	if (unreachable && !clerk->paused) {
		clerk->paused = true;
		clerk->tools.pause(clerk->tools.arg, true);
	}
}

/* What was lost meanwhile comes again, and changes nothing then. */
static void drop_lost_of(struct clerk *clerk, struct message_list *list)
{
	struct message *next;

	for (struct message *message = TAILQ_FIRST(list); message; message = next) {
		next = TAILQ_NEXT(message, entry);
		if (!is_lost(clerk, message) || (list == &clerk->parking && !message->stalled))
			continue;
		TAILQ_REMOVE(list, message, entry);
		let_go(clerk, message);
	}
}

static void drop_lost(struct clerk *clerk)
{
	drop_lost_of(clerk, &clerk->waiting);
	drop_lost_of(clerk, &clerk->parking);
	/* What is to be tried when the store may be back has to come first. */
	if (TAILQ_EMPTY(&clerk->waiting) && !clerk->batch_is_out)
		take_again(clerk);
}

static void handle_applied(struct clerk *clerk, struct batch *batch, int64_t now_ms)
{
	clerk->batch_is_out = false;
	if (batch->result == 0)
		finish_recorded(clerk, batch);
	else
		keep_failed(clerk, batch, now_ms);
	batch_clear(batch);
	drop_lost(clerk);
}

/* --- the loop ----------------------------------------------------------------------------- */

void clerk_read_mail(struct clerk *clerk, int64_t now_ms)
{
	struct mail *next;

	for (struct mail *mail = mailbox_take(clerk->tools.box); mail; mail = next) {
		struct letter *letter = (struct letter *)mail;

		next = mail->next; /* handling it may free it or post it again */
		switch (letter->news) {
		case LETTER_ARRIVED:
			handle_arrival(clerk, (struct message *)letter, now_ms);
			break;
		case LETTER_PUBLISHED:
			handle_published(clerk, (struct message *)letter);
			break;
		case LETTER_APPLIED:
			handle_applied(clerk, (struct batch *)letter, now_ms);
			break;
		}
	}
}

void clerk_tick(struct clerk *clerk, int64_t now_ms)
{
	struct message *next;

	if (is_due(clerk, now_ms))
		give(clerk);
	for (struct message *message = TAILQ_FIRST(&clerk->parking); message; message = next) {
		next = TAILQ_NEXT(message, entry);
		if (!message->stalled)
			continue;
		if (clerk->closing) {
			TAILQ_REMOVE(&clerk->parking, message, entry);
			settle(clerk, message, AMQP_REQUEUE);
		} else if (now_ms >= message->again_ms) {
			offer(clerk, message);
		}
	}
	metric_set(clerk->tools.meters->in_hand, clerk->in_hand);
}

int clerk_idle_ms(const struct clerk *clerk, int64_t now_ms, int most_ms)
{
	const struct message *first = TAILQ_FIRST(&clerk->waiting);
	int64_t due_ms;

	if (!first || clerk->batch_is_out)
		return most_ms;
	due_ms = first->arrived_ms + CLERK_GATHER_MS;
	due_ms = due_ms > clerk->again_ms ? due_ms : clerk->again_ms;
	if (due_ms <= now_ms)
		return 0;
	return due_ms - now_ms < most_ms ? (int)(due_ms - now_ms) : most_ms;
}

void clerk_lose(struct clerk *clerk, uint64_t generation)
{
	if (generation <= clerk->lost)
		return;
	clerk->lost = generation;
	drop_lost(clerk);
}

void clerk_close(struct clerk *clerk)
{
	clerk->closing = true;
	if (clerk->paused && !clerk->batch_is_out)
		return_waiting(clerk);
}

bool clerk_is_idle(const struct clerk *clerk)
{
	return clerk->in_hand == 0;
}
