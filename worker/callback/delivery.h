#ifndef CALLBACK_DELIVERY_H
#define CALLBACK_DELIVERY_H

#include <stdint.h>
#include <sys/queue.h>

#include "amqp/link.h"
#include "amqp/message.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "base/mailbox.h"
#include "endpoint.h"
#include "http/client.h"
#include "job/job.h"
#include "signature.h"
#include "verdict.h"

/** A callback's whole body stays under this, so that endpoints with small limits take it. */
#define DELIVERY_MAX_BODY 20000

/** What another thread says about a delivery by posting it. */
enum delivery_news {
	DELIVERY_ARRIVED,
	DELIVERY_ANSWERED,  /**< see `answer` */
	DELIVERY_PUBLISHED, /**< see `published` */
	DELIVERY_DISABLED   /**< its turn came, and its endpoint is switched off */
};

/** Where a delivery stands; belongs to the courier. */
enum delivery_state {
	DELIVERY_NEW,
	DELIVERY_WAITING,    /**< in its endpoint's line */
	DELIVERY_POSTING,    /**< the HTTP client has it */
	DELIVERY_FORWARDING, /**< on its way to a retry queue or to the parked messages; delivered: its report is */
	DELIVERY_STALLED     /**< that way was closed: tried again at `forward_at_ms` */
};

/**
 * One message in hand, from its arrival until it is settled. Other threads write `news`, `answer`
 * and `published` before they post it; all else belongs to the courier's thread.
 */
struct delivery {
	struct mail mail; /**< first, so that the mailbox's pointer is the delivery's */
	struct mailbox *box;
	enum delivery_news news;
	struct answer answer;
	bool unasked; /**< the answer is not the endpoint's */
	enum amqp_outcome published;

	enum delivery_state state;
	TAILQ_ENTRY(delivery) in_hand;
	struct endpoint_place place;
	unsigned ticket; /**< of the endpoint's breaker, while it is posted; 0: it is posted against its advice */
	struct amqp_delivery *message;
	struct context ctx;     /**< names the task in log lines */
	struct buffer payload;  /**< the body to post, once prepared */
	int64_t finished_at_ms; /**< of the task, unix ms */
	char scene[JOB_MAX_SCENE_BYTES + 1];
	char url[256];          /**< the callback's URL as it may be logged */
	struct verdict verdict; /**< what is done with it now */
	int64_t stalled_since_ms;
	int64_t forward_at_ms;
};

/** The delivery that embeds this mail, or that place. */
struct delivery *delivery_of_mail(struct mail *mail);
struct delivery *delivery_of_place(struct endpoint_place *place);

/** Takes `message` over. NULL when memory is out; then the message is still the caller's. */
struct delivery *delivery_new(struct amqp_delivery *message, struct mailbox *box) must_check;

/** Frees it with its message, which is not settled by that. NULL is fine. */
void delivery_free(struct delivery *delivery);

/** Posts it to the mailbox with its news. It is the courier's again from then on. Whichever thread has it. */
void delivery_tell(struct delivery *delivery, enum delivery_news news);

/** Attempts made so far. */
int delivery_attempts(const struct delivery *delivery);

/**
 * Reads the message and makes the payload. On refusal `err` (class reject) says why this is no
 * reply, or that memory is out (class retry).
 */
int delivery_prepare(struct delivery *delivery, struct error *err) must_check;

/**
 * Signs and submits one attempt; the answer is posted to the mailbox. Returns 0, or a negative
 * errno when nothing was submitted.
 */
int delivery_post(struct delivery *delivery, struct http_client *client, const struct signature_keys *keys,
		  int64_t timeout_ms) must_check;

/**
 * The message that carries out the verdict: to a retry queue, with the attempts made, or to the
 * parked messages, with the reason, where a replay begins the schedule anew. NULL when memory is out.
 */
struct amqp_message *delivery_forward(const struct delivery *delivery) must_check;

#endif
