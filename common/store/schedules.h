#ifndef STORE_SCHEDULES_H
#define STORE_SCHEDULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/uuid.h"
#include "store/store.h"

/*
 * Jobs that are to run later, once or again and again. A schedule holds the encoded job (MessagePack) and when it is
 * due next, under which task id. Claiming a due run fixes its task id in the store before anything is published, and
 * recording it moves the schedule on: a scheduler that dies between the two publishes the same id once more.
 */

enum misfire { MISFIRE_RUN_ONCE, MISFIRE_SKIP };

struct schedule {
	char schedule_id[UUID_SIZE];
	const char *name;  /**< "" for none */
	const char *owner; /**< id of the API key, "" for none */
	const char *op;
	const char *scene;
	const char *user_id; /**< "" for none */
	const char *collection;
	const char *cron;      /**< five fields; "" when it is not by cron */
	const char *time_zone; /**< of the cron; "" is UTC */
	int64_t every_ms;      /**< 0 when it is not by interval */
	enum misfire misfire;
	int64_t due_ms;          /**< next run; unix ms */
	char task_id[UUID_SIZE]; /**< of the next run, once it was claimed or chosen; "" not yet */
	const uint8_t *job;      /**< MessagePack, at most JOB_MAX_ENCODED_BYTES; NULL in listings */
	size_t job_size;
	int64_t created_at_ms;
	int64_t last_run_ms; /**< 0: never */
};
typedef int schedule_fn(void *arg, const struct schedule *schedule, struct error *err);

/** Adds a schedule; its id is chosen by the caller. `inserted` false: that id is there already. */
int schedules_add(struct store *store, const struct schedule *schedule, bool *inserted, struct error *err) must_check;
/** Passes a schedule with its job. */
int schedules_find(struct store *store, const char *schedule_id, schedule_fn *fn, void *arg, bool *found,
		   struct error *err) must_check;
int schedules_remove(struct store *store, const char *schedule_id, bool *found, struct error *err) must_check;

/** Lists schedules in the order of their ids, of an owner (NULL: all), after `after_id` ("" first page); at most
 * `limit`, without their jobs. */
int schedules_list(struct store *store, const char *owner, const char *after_id, unsigned limit, schedule_fn *fn,
		   void *arg, struct error *err) must_check;

/**
 * The schedules due before `until_ms`, soonest first, at most `limit`: what a timer heap wants. Of each only id,
 * due_ms, task_id, misfire, cron and every_ms are set.
 */
int schedules_upcoming(struct store *store, int64_t until_ms, unsigned limit, schedule_fn *fn, void *arg,
		       struct error *err) must_check;

/** How many there are. Reads an index from end to end: not for every second. */
int schedules_count(struct store *store, uint64_t *count, struct error *err) must_check;

/** How many an owner has, as far as `most`. Reads so much of an index: not for every request. */
int schedules_count_of(struct store *store, const char *owner, uint64_t most, uint64_t *count,
		       struct error *err) must_check;

/**
 * Makes a schedule due at `now_ms`, whatever it waits for. `task_id` is the id its run shall have, and gets the one
 * that stands: a run that was claimed before keeps its own.
 */
int schedules_run_now(struct store *store, const char *schedule_id, int64_t now_ms, char task_id[UUID_SIZE],
		      bool *found, struct error *err) must_check;

/** A number that rises when schedules are added, removed or made due, so that a scheduler sees what others did.
 * Claiming and moving on do not count: the scheduler did that itself. */
int schedules_version(struct store *store, uint64_t *version, struct error *err) must_check;

/** The lock that lets one scheduler act: a row with holder, fencing token and expiry. */
struct schedule_lock {
	char holder[UUID_SIZE];
	uint64_t token; /**< rises with each new holder */
	int64_t expires_ms;
};
/** Takes or renews the lock for `holder` until now + ttl. `held` says whether it is ours. */
int schedules_lock(struct store *store, const char *holder, int64_t now_ms, int64_t ttl_ms, struct schedule_lock *lock,
		   bool *held, struct error *err) must_check;
/** Gives it back, so that another need not wait until it expires. */
int schedules_unlock(struct store *store, const struct schedule_lock *lock, struct error *err) must_check;

/** A run of a schedule, as the holder of the lock passes it through the store. */
struct schedule_run {
	char schedule_id[UUID_SIZE];
	int64_t due_ms;
	char task_id[UUID_SIZE]; /**< of the task it becomes */
	int64_t next_due_ms;     /**< 0: it was the last one, the schedule goes */
	int64_t ran_at_ms;       /**< when it was published; 0: it was left out */
	bool stands;             /**< the schedule is there and still due at due_ms */
};

/**
 * Claims runs under the lock's token, all in one transaction: writes `task_id` of each unless the schedule has one,
 * which task_id then gets, and sets `stands`. `held` false: the token is not the newest any more, nothing was done.
 */
int schedules_claim(struct store *store, uint64_t token, struct schedule_run *runs, unsigned count, bool *held,
		    struct error *err) must_check;

/** Records that runs were published or left out, and sets `stands`: each on to its next_due_ms. `held` as before. */
int schedules_ran(struct store *store, uint64_t token, struct schedule_run *runs, unsigned count, bool *held,
		  struct error *err) must_check;

/** Removes what is scheduled about a user (collection NULL: in any). */
int schedules_erase_user(struct store *store, const char *collection, const char *user_id, uint64_t *removed,
			 struct error *err) must_check;

#endif
