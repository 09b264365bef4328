#include "sweeper.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/topology.h"
#include "base/clock.h"
#include "job/names.h"
#include "job/reply.h"
#include "obs/log.h"
#include "store/tasks.h"

/* Done in one sweep, at most: none keeps messages waiting for long. */
#define MAX_CLOSED 500
#define MAX_STUCK 1000
#define PURGE_STEP 256
#define PURGE_MS 100
/* A reply that has not come round by then was lost: the broker did not take it. */
#define CLOSE_AGAIN_MS 30000

/* Tasks that were found, and when each was first. Filled anew by each sweep. */
struct found {
	unsigned count;
	struct {
		char id[UUID_SIZE];
		int64_t since_ms;
	} tasks[MAX_STUCK];
};

struct sweeper {
	struct sweeper_settings settings;
	/* Of the settings, what may change. */
	atomic_int_fast64_t lease_ms;
	atomic_int_fast64_t keep_ms;
	struct found closed[2]; /* before and now, in turns */
	struct found stuck[2];
	unsigned turn;
	int64_t caught_up_since_ms; /* 0: it is not */
};

struct sweeper *sweeper_new(const struct sweeper_settings *settings)
{
	struct sweeper *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->settings = *settings;
	sweeper_set_times(s, settings->lease_ms, settings->keep_ms);
	return s;
}

void sweeper_set_times(struct sweeper *s, int64_t lease_ms, int64_t keep_ms)
{
	atomic_store(&s->lease_ms, lease_ms);
	atomic_store(&s->keep_ms, keep_ms);
}

void sweeper_free(struct sweeper *s)
{
	free(s);
}

static int64_t found_since(const struct found *found, const char *id)
{
	for (unsigned i = 0; i < found->count; i++) {
		if (strcmp(found->tasks[i].id, id) == 0)
			return found->tasks[i].since_ms;
	}
	return 0;
}

static void found_add(struct found *found, const char *id, int64_t since_ms)
{
	if (found->count == MAX_STUCK)
		return;
	snprintf(found->tasks[found->count].id, UUID_SIZE, "%s", id);
	found->tasks[found->count++].since_ms = since_ms;
}

/* --- tasks that nobody answers --- */

static void fill_reply(struct reply *reply, const struct task_row *row, const char *name)
{
	const struct task_change *task = &row->now;
	int op = names_find(names_ops, array_size(names_ops), task->op);

	reply_init(reply, task->task_id, NULL);
	reply->has_op = op >= 0;
	reply->op = op >= 0 ? (enum job_op)op : JOB_MATCH;
	snprintf(reply->user_id, sizeof(reply->user_id), "%s", task->user_id);
	snprintf(reply->collection, sizeof(reply->collection), "%s", task->collection);
	snprintf(reply->reference, sizeof(reply->reference), "%s", task->reference);
	snprintf(reply->scene, sizeof(reply->scene), "%s", task->scene);
	snprintf(reply->worker, sizeof(reply->worker), "%s", name);
	reply->state = TASK_FINAL_FAILED;
	reply->attempt = task->attempt;
	error_set(&reply->error, ERROR_DEADLINE_EXCEEDED, "no worker answered by the deadline");
	timings_init(&reply->timings);
	reply->accepted_at_ms = task->accepted_at_ms;
	reply->finished_at_ms = clock_unix_ms();
}

static void fill_envelope(struct envelope *envelope, const struct task_change *task)
{
	snprintf(envelope->message_id, sizeof(envelope->message_id), "%s", task->task_id);
	snprintf(envelope->type, sizeof(envelope->type), "%s", ENVELOPE_TYPE_REPLY);
	snprintf(envelope->content_type, sizeof(envelope->content_type), "%s", encoding_content_type(ENCODING_JSON));
	snprintf(envelope->owner, sizeof(envelope->owner), "%s", task->owner);
	envelope->accepted_ms = task->accepted_at_ms;
	envelope->deadline_ms = task->deadline_ms;
	envelope->attempt = task->attempt;
}

/* On the publishing link's thread. What was not taken is found overdue again. */
static void note_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	struct meters *meters = arg;

	(void)message;
	if (outcome == AMQP_CONFIRMED)
		metric_add(meters->closed, 1);
}

static bool publish_end(struct sweeper *s, const struct task_row *row)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct amqp_message *message = NULL;
	char key[ENVELOPE_SHORT_SIZE];
	struct reply reply;

	fill_reply(&reply, row, s->settings.name);
	reply_routing_key(&reply, key);
	if (reply_encode(&reply, ENCODING_JSON, &body) == 0)
		message = amqp_message_new(TOPOLOGY_REPLIES_EXCHANGE, key, &body);
	if (!message)
		return false;
	fill_envelope(&message->envelope, &row->now);
	return amqp_link_publish(s->settings.publishing, message, note_outcome, s->settings.meters) == 0;
}

static int close_task(void *arg, const struct task_row *row, struct error *err)
{
	struct sweeper *s = arg;
	int64_t now_ms = clock_monotonic_ms();
	int64_t since_ms = found_since(&s->closed[s->turn ^ 1], row->now.task_id);

	(void)err;
	if (since_ms == 0 || now_ms - since_ms >= CLOSE_AGAIN_MS) {
		if (!publish_end(s, row))
			return 0; /* at the next sweep */
		since_ms = now_ms;
		log_info(NULL, "task closed: no worker answered by the deadline",
			 log_string("task_id", row->now.task_id), log_string("scene", row->now.scene),
			 log_string("state", task_state_name(row->now.state)));
	}
	found_add(&s->closed[s->turn], row->now.task_id, since_ms);
	return 0;
}

/*
 * An answer may be among the messages that wait: while there are more than a few, nothing is closed, and for as long
 * as the grace afterwards.
 */
static bool may_close(struct sweeper *s)
{
	int64_t now_ms = clock_monotonic_ms();

	if (!s->settings.caught_up(s->settings.arg))
		s->caught_up_since_ms = 0;
	else if (s->caught_up_since_ms == 0)
		s->caught_up_since_ms = now_ms;
	return s->caught_up_since_ms > 0 && now_ms - s->caught_up_since_ms >= SWEEPER_GRACE_MS;
}

static int close_overdue(struct sweeper *s, struct store *store, struct error *err)
{
	s->closed[s->turn].count = 0;
	if (!may_close(s))
		return 0;
	return tasks_overdue(store, clock_unix_ms() - SWEEPER_GRACE_MS, MAX_CLOSED, close_task, s, err);
}

/* --- tasks that run for too long --- */

static int note_stuck(void *arg, const struct task_row *row, struct error *err)
{
	struct sweeper *s = arg;

	(void)err;
	if (found_since(&s->stuck[s->turn ^ 1], row->now.task_id) == 0)
		log_warning(NULL, "task has been running for too long", log_string("task_id", row->now.task_id),
			    log_string("worker", row->now.worker), log_integer("attempt", row->now.attempt),
			    log_integer("running_ms", clock_unix_ms() - row->updated_at_ms));
	found_add(&s->stuck[s->turn], row->now.task_id, 1);
	return 0;
}

static int find_stuck(struct sweeper *s, struct store *store, struct error *err)
{
	s->stuck[s->turn].count = 0;
	int r = tasks_stuck(store, clock_unix_ms() - atomic_load(&s->lease_ms), MAX_STUCK, note_stuck, s, err);

	if (r == 0)
		metric_set(s->settings.meters->stuck, s->stuck[s->turn].count);
	return r;
}

/* --- the rest --- */

/* As many small steps as have room: it must keep up with what is finished. */
static int purge(struct sweeper *s, struct store *store, struct error *err)
{
	int64_t until_ms = clock_monotonic_ms() + PURGE_MS;
	int64_t keep_ms = atomic_load(&s->keep_ms);
	unsigned removed;
	int r;

	do {
		r = tasks_purge(store, clock_unix_ms() - keep_ms, PURGE_STEP, &removed, err);
		if (r == 0)
			metric_add(s->settings.meters->purged, removed);
	} while (r == 0 && removed == PURGE_STEP && clock_monotonic_ms() < until_ms);
	if (r == 0)
		r = tasks_purge_deliveries(store, clock_unix_ms() - keep_ms, PURGE_STEP, err);
	return r;
}

static int count(struct sweeper *s, struct store *store, struct error *err)
{
	uint64_t counts[TASK_FINAL_FAILED + 1];
	int r = tasks_count(store, counts, err);

	for (unsigned i = 0; r == 0 && i <= TASK_FINAL_FAILED; i++)
		metric_set(s->settings.meters->tasks[i], (double)counts[i]);
	return r;
}

int sweeper_run(struct sweeper *s, struct store *store, struct error *err)
{
	s->turn ^= 1;
	int r = close_overdue(s, store, err);

	if (r == 0)
		r = find_stuck(s, store, err);
	if (r == 0)
		r = purge(s, store, err);
	return r == 0 ? count(s, store, err) : r;
}
