#ifndef GATEWAY_RECENT_H
#define GATEWAY_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/uuid.h"
#include "job/envelope.h"
#include "job/job.h"
#include "job/reply.h"

/*
 * The tasks that this gateway accepted lately, for whoever asks before the tracker has recorded them. Bounded: the
 * oldest give way. Any thread.
 */

struct recent_task {
	char task_id[UUID_SIZE];
	char owner[ENVELOPE_OWNER_SIZE];
	enum job_op op;
	char scene[JOB_MAX_SCENE_BYTES + 1];
	char user_id[JOB_MAX_USER_BYTES + 1];
	char collection[JOB_MAX_COLLECTION_BYTES + 1];
	char reference[JOB_MAX_REFERENCE_BYTES + 1];
	int64_t accepted_at_ms;
	int64_t deadline_ms;
	enum task_state state;
	int attempt;
	int64_t updated_at_ms;
};

/** Replies longer than this are left to the store. */
#define RECENT_MAX_REPLY_BYTES 8192

struct recent;

/** Remembers at most `max` tasks. NULL when memory is out. */
struct recent *recent_new(unsigned max) must_check;
void recent_free(struct recent *recent);

/** Remembers a task (copied). Without memory it does not. */
void recent_add(struct recent *recent, const struct recent_task *task);

/** Forgets a task: the broker did not take it. */
void recent_remove(struct recent *recent, const char *task_id);

/**
 * Forgets the tasks about a person, and those that list them among their candidates: in one collection, or with "" in
 * all.
 */
void recent_forget_person(struct recent *recent, const char *user_id, const char *collection);

/**
 * A state that was heard of, with the reply (JSON) of a last one; of an unknown task, or not forward, it changes
 * nothing. Nor does a reply that is too long to be kept: a task has not ended here before its reply can be shown.
 */
void recent_update(struct recent *recent, const char *task_id, enum task_state state, int attempt, int64_t at_ms,
		   const struct buffer *reply);

/** Copies what is known of a task, and its reply (nothing before it has ended); false if nothing is. */
bool recent_find(struct recent *recent, const char *task_id, struct recent_task *out, struct buffer *reply) must_check;

/** How long the tracker may need to record what was heard here. */
#define RECENT_STALE_MS (60 * 60 * 1000)

/**
 * True if the store, when it can be asked and does not have the task, is right: it ended RECENT_STALE_MS ago, or
 * nothing was heard of it for as long behind its deadline.
 */
bool recent_is_stale(const struct recent_task *task, int64_t now_ms) must_check;

/** Where a state stands in the life of a task: later ones are greater. The same order as the store's. */
int64_t recent_rank(enum task_state state, int attempt);

#endif
