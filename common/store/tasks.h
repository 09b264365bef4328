#ifndef STORE_TASKS_H
#define STORE_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/uuid.h"
#include "job/delivery_report.h"
#include "job/reply.h"
#include "store/store.h"

/*
 * Tasks as they were seen: the current state of each, and a log of the transitions it went through, which is only ever
 * added to. States are ordered by attempt, then pending, running, failed, retrying; a terminal state comes after all
 * others. Messages of different publishers arrive in any order, late and more than once: a transition that leads
 * forward is accepted, any other leaves state and log as they are, and the first terminal state stays. Facts about the
 * task (op, owner, deadline …) are taken from whoever brings them first, also from a transition that is too late.
 * Attempts to deliver a task's callback are kept beside it, whether the task is known or not.
 */

#define TASKS_MAX_OWNER_BYTES 64

/** What one message says about a task. Strings are "" and numbers 0 where it does not say. */
struct task_change {
	const char *task_id;
	enum task_state state;
	int attempt; /**< from 1 */
	int64_t at_ms;
	const char *worker;
	const char *error_code; /**< of a failed attempt or a final failure */
	const char *error_text;
	int64_t next_attempt_at_ms;
	const uint8_t *reply; /**< the reply as JSON, of a terminal state; NULL: none */
	size_t reply_size;

	/* Facts. */
	const char *op;
	const char *scene;
	const char *user_id;
	const char *collection;
	const char *reference;
	const char *owner; /**< id of the API key it came in with */
	int64_t accepted_at_ms;
	int64_t deadline_ms;
};

/**
 * Applies changes in one transaction, in their order. `accepted` (may be NULL) gets one flag for each. All of them or,
 * on an error, none.
 */
int tasks_apply(struct store *store, const struct task_change *changes, unsigned count, bool *accepted,
		struct error *err) must_check;

/** What is recorded together: changes, and reports of deliveries. Either may be none. */
struct tasks_news {
	const struct task_change *changes;
	unsigned change_count;
	const struct delivery_report *const *deliveries;
	unsigned delivery_count;
};

/** As tasks_apply(), with the deliveries in the same transaction. One that is on record already changes nothing. */
int tasks_record(struct store *store, const struct tasks_news *news, bool *accepted, struct error *err) must_check;

/** A task as it stands. What it points to is gone when the function it was passed to returns. */
struct task_row {
	struct task_change now; /**< its state and what it was entered with, and the facts; reply NULL in listings */
	int64_t updated_at_ms;  /**< by this host's clock, when the state was recorded */
	int64_t finished_at_ms; /**< likewise, when it is the last state; 0: not yet */
};
/** Called for each row, which is read while it runs: it must not wait, nor use the store. */
typedef int task_row_fn(void *arg, const struct task_row *row, struct error *err);

/** Calls `fn` once with the task and its reply; `found` says whether there is one. */
int tasks_find(struct store *store, const char *task_id, task_row_fn *fn, void *arg, bool *found,
	       struct error *err) must_check;

/** A line of the log. */
struct task_transition {
	enum task_state state;
	int attempt;
	int64_t at_ms;
	const char *worker;
	const char *error_code;
	const char *error_text;
	int64_t next_attempt_at_ms;
};
typedef int task_transition_fn(void *arg, const struct task_transition *transition, struct error *err);

/** The transitions of a task, in the order they were accepted. */
int tasks_history(struct store *store, const char *task_id, task_transition_fn *fn, void *arg,
		  struct error *err) must_check;

#define TASKS_MAX_DELIVERIES 256
typedef int task_delivery_fn(void *arg, const struct delivery_report *report, struct error *err);

/** The attempts to deliver a task's callback, by their time; of more than TASKS_MAX_DELIVERIES the last ones. */
int tasks_deliveries(struct store *store, const char *task_id, task_delivery_fn *fn, void *arg,
		     struct error *err) must_check;

/** Which tasks are listed; "" and 0 (and `has_state` false) leave a condition out. */
struct tasks_filter {
	bool has_state;
	enum task_state state;
	const char *scene;
	const char *owner;
	const char *user_id;
	int64_t since_ms; /**< accepted at or after */
	int64_t until_ms; /**< accepted before */
};

/** Where a page ended; zero-initialise for the first. */
struct tasks_cursor {
	int64_t accepted_at_ms;
	char task_id[UUID_SIZE];
};

/** Lists tasks, newest first, at most `limit`, after `cursor`, which moves on. Returns how many, or a negative errno.
 */
int tasks_list(struct store *store, const struct tasks_filter *filter, struct tasks_cursor *cursor, unsigned limit,
	       task_row_fn *fn, void *arg, struct error *err) must_check;

/** Tasks that are not finished and whose deadline was before `now_ms`, oldest deadline first, at most `limit`. */
int tasks_overdue(struct store *store, int64_t now_ms, unsigned limit, task_row_fn *fn, void *arg,
		  struct error *err) must_check;

/** Tasks that have been running since before `before_ms` (recorded, not said), oldest first, at most `limit`. */
int tasks_stuck(struct store *store, int64_t before_ms, unsigned limit, task_row_fn *fn, void *arg,
		struct error *err) must_check;

/** How many tasks are in each state, by enum task_state. */
int tasks_count(struct store *store, uint64_t counts[TASK_FINAL_FAILED + 1], struct error *err) must_check;

/** Removes at most `limit` (and 256) tasks, with log and deliveries, that finished before `before_ms`. */
int tasks_purge(struct store *store, int64_t before_ms, unsigned limit, unsigned *removed,
		struct error *err) must_check;

/** Removes deliveries of at most `limit` (and 256) tasks, there or not, that have one recorded before `before_ms`. */
int tasks_purge_deliveries(struct store *store, int64_t before_ms, unsigned limit, struct error *err) must_check;

/**
 * Removes every task about a user (collection NULL: in any), finished or not, some at a time: after an error, call it
 * again. A task whose collection is not known yet counts as any's. What is still said of a task afterwards makes it
 * anew.
 */
int tasks_erase_user(struct store *store, const char *collection, const char *user_id, uint64_t *removed,
		     struct error *err) must_check;

/** Where the next step of tasks_erase_candidate() begins; zero-initialise. */
struct tasks_step {
	int64_t finished_at_ms;
	char task_id[UUID_SIZE];
};

/**
 * Takes a user out of the candidates that kept replies list (collection NULL: in searches of any), and leaves the rest
 * of the reply and its task as they are. A reply without a collection counts as any's; one that cannot be read is
 * logged and stays. Looks at some of the finished tasks, those that finished first before the others, and moves `step`
 * on; each reply is changed in a transaction of its own. `changed` gets how many were. Returns how many tasks it looked
 * at, 0 at the end, or a negative errno: then `step` has not moved, and the call can be repeated.
 */
int tasks_erase_candidate(struct store *store, const char *collection, const char *user_id, struct tasks_step *step,
			  unsigned *changed, struct error *err) must_check;

#endif
