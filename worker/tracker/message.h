#ifndef TRACKER_MESSAGE_H
#define TRACKER_MESSAGE_H

#include <stdint.h>
#include <sys/queue.h>

#include "amqp/link.h"
#include "amqp/message.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "letter.h"
#include "meters.h"
#include "store/tasks.h"

/** A reply is kept up to this size; the last candidates of a longer one are left out. */
#define MESSAGE_MAX_REPLY (1u << 20)

/** One message in hand, from its arrival until it is settled. */
struct message {
	struct letter letter; /**< LETTER_ARRIVED or LETTER_PUBLISHED; see `published` */
	enum amqp_outcome published;
	TAILQ_ENTRY(message) entry;
	struct amqp_delivery *delivery;
	int64_t arrived_ms; /**< clock_monotonic_ms() */

	/* Once it was read. */
	enum message_kind kind;
	struct delivery_report report; /**< of MESSAGE_DELIVERY; of the others: */
	struct task_change change;     /**< points into what follows */
	char task_id[UUID_SIZE];
	char user_id[JOB_MAX_USER_BYTES + 1];
	char collection[JOB_MAX_COLLECTION_BYTES + 1];
	char reference[JOB_MAX_REFERENCE_BYTES + 1];
	char scene[JOB_MAX_SCENE_BYTES + 1];
	char worker[128];
	char error_text[256];
	struct buffer reply;

	/* When it is parked. */
	char reason[256];
	bool stalled;
	int64_t again_ms; /**< when a stalled one is offered again */
};

TAILQ_HEAD(message_list, message);

/** Takes `delivery` over. NULL when memory is out; then it is still the caller's. */
struct message *message_new(struct amqp_delivery *delivery, struct mailbox *box) must_check;

/** Frees it with its delivery, which is not settled by that. NULL is fine. */
void message_free(struct message *message);

/** Reads what it says into `change` or `report`. On refusal `err` says why: class reject, or retry without memory. */
int message_read(struct message *message, struct error *err) must_check;

/** When it was said, unix ms. Once it was read. */
int64_t message_said_ms(const struct message *message);

/** A copy for the parked messages, with `reason`. NULL when memory is out. */
struct amqp_message *message_park(const struct message *message) must_check;

#endif
