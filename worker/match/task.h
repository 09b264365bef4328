#ifndef MATCH_TASK_H
#define MATCH_TASK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "amqp/link.h"
#include "amqp/message.h"
#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "job/job.h"
#include "job/reply.h"
#include "job/scene.h"

/** One photograph that a job gave by URL, as it was fetched. */
struct task_fetch {
	uint8_t *data; /**< owned */
	struct error error;
	double elapsed_ms;
};

struct outbox;

/** One message that must be settled before the job can be acked; see outbox.h. */
struct task_part {
	struct outbox *outbox;
	struct task *task;
	bool required;              /**< wait until a queue has it, instead of taking any answer */
	bool refused;               /**< at least once, and not taken yet */
	struct amqp_message *again; /**< what was refused and is to be published again; owned */
	struct task_part *next;     /**< in the outbox's list of refused parts */
};

#define TASK_PARTS 3

/**
 * One delivery from its arrival to its acknowledgement. It belongs to whoever holds it: the
 * compute queue, the fetcher, a compute thread or, at last, the outbox.
 */
struct task {
	struct amqp_delivery *delivery; /**< owned; the job's image bytes point into it */
	struct amqp_link *source;       /**< where to settle it */
	enum lane lane;
	enum encoding encoding; /**< of the job, and so of the reply */
	struct scene scene;     /**< as it was when the task was decoded */
	struct job job;
	bool started; /**< a compute thread has seen it: it was decoded, or refused */
	bool decoded; /**< `job` is to be finished */
	int attempt;
	int64_t end_to_end_unix_ms; /**< the deadline as the headers carry it; 0 = none */
	struct context ctx;
	struct reply reply;

	struct task_fetch fetch_a;
	struct task_fetch fetch_b;
	atomic_int fetches_pending;

	struct task_part parts[TASK_PARTS];
	atomic_int parts_pending;

	struct task *previous; /**< in the roster */
	struct task *next;
};

/** Wraps a delivery, which it takes over, without looking into it. NULL when memory is out (delivery untouched). */
struct task *task_new(struct amqp_delivery *delivery, struct amqp_link *source, enum lane lane) must_check;

/**
 * Reads envelope and body: job, scene, attempt, deadlines, trace; fills the echoed half of
 * task->reply either way, so that a refusal can be answered. On refusal `err` is `invalid_job`.
 */
int task_decode(struct task *task, const char *worker, struct error *err) must_check;

/** The same without the body, which stays unread: the reply says of the job what its envelope does. */
void task_skip(struct task *task, const char *worker);

/** True if the message weighs more than a message may: it is refused, and cannot be published again. */
bool task_is_oversized(const struct task *task);

/**
 * True if the job may be what workers died of: it was delivered twice before, and settled neither time, or is another
 * attempt, or a replay, of one that was.
 */
bool task_is_suspect(const struct task *task);

/** True if an image still has to be fetched. */
bool task_needs_fetch(const struct task *task);

/** Marks the moment an attempt begins: its own deadline counts from now. */
void task_begin_attempt(struct task *task);

/** Milliseconds since the job was accepted (or arrived, when nobody said when). */
double task_age_ms(const struct task *task);

/** Milliseconds this attempt has waited in queues: since acceptance, or since arrival for a later attempt. */
double task_waited_ms(const struct task *task);

/** NULL is fine. Settles nothing. */
void task_free(struct task *task);

#endif
