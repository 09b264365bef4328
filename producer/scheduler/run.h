#ifndef SCHEDULER_RUN_H
#define SCHEDULER_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "amqp/backoff.h"
#include "amqp/link.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/mailbox.h"
#include "base/timer_heap.h"
#include "job/event.h"
#include "store/schedules.h"

/** One run of a schedule, from the claim until the store knows that it is over. */
struct run {
	TAILQ_ENTRY(run) entry;
	struct mail mail;    /**< for the outcome, which the link's thread writes before it posts this */
	struct mailbox *box; /**< where to */
	struct schedule_run row;
	enum {
		RUN_READY,      /**< to be published */
		RUN_SENDING,    /**< the job is on its way */
		RUN_ANNOUNCING, /**< the broker has it; the event is on its way */
		RUN_WAITING,    /**< refused; tried again when the timer is due */
		RUN_DONE        /**< to be recorded */
	} state;
	bool is_skipped; /**< missed: only moved on */
	bool may_skip;   /**< what the schedule wants of later runs */
	bool is_orphan;  /**< another scheduler leads: forgotten as soon as nothing is under way */
	struct timer timer;
	struct backoff backoff;
	enum amqp_outcome outcome;
	size_t bytes; /**< of the job while it is under way */
	int64_t accepted_ms;
	int64_t deadline_ms;
	char owner[ENVELOPE_OWNER_SIZE];
	struct event event;
};
TAILQ_HEAD(run_list, run);

/** NULL when memory is out. */
struct run *run_new(const struct schedule_run *row, struct mailbox *box) must_check;

/** Reads the schedule: when it is due after this run, and what its later runs want. */
int run_read_plan(struct run *run, const struct schedule *schedule, int64_t now_ms, struct error *err) must_check;

/**
 * Makes the message of the job, accepted now, and remembers what the event says of it. `err` is `invalid_job` for what
 * can never be sent.
 */
int run_make_job(struct run *run, const struct schedule *schedule, int64_t now_ms, struct amqp_message **out,
		 struct error *err) must_check;

/** Makes the event that says it waits. NULL when memory is out. */
struct amqp_message *run_make_event(const struct run *run) must_check;

/** Publishes; the outcome comes by mail. Takes the message over. Returns as amqp_link_publish(). */
int run_publish(struct run *run, struct amqp_link *link, struct amqp_message *message) must_check;

#endif
