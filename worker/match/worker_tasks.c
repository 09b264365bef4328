/* The life of a task on a compute thread. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "obs/log.h"
#include "searches.h"
#include "worker_private.h"

void worker_give_back(struct worker *worker, struct task *task)
{
	metric_add(worker->meters.requeued, 1);
	amqp_link_settle(task->source, task->delivery->tag, AMQP_REQUEUE);
	roster_remove(worker->roster, task);
}

/* The time of the next attempt (unix ms), or 0 when there is to be none. */
static int64_t next_attempt_at(const struct task *task, const struct error *err)
{
	if (err->class != ERROR_CLASS_RETRY || task->attempt > task->scene.retries)
		return 0;
	int64_t at = clock_unix_ms() + task->scene.backoff_ms;
	return task->end_to_end_unix_ms > 0 && at >= task->end_to_end_unix_ms ? 0 : at;
}

/* Expired, cancelled and invalid tasks end without an attempt that could be said to have failed. */
static bool is_failed_attempt(const struct error *err)
{
	return err->code != ERROR_DEADLINE_EXCEEDED && err->code != ERROR_CANCELLED && err->code != ERROR_INVALID_JOB;
}

static void fail(struct worker *worker, struct task *task, const struct error *err)
{
	if (err->code == ERROR_CANCELLED && atomic_load(&worker->giving_back)) {
		worker_give_back(worker, task);
		return;
	}
	task->reply.error = *err;
	if (is_failed_attempt(err))
		outbox_event(worker->outbox, task, TASK_FAILED, 0);
	int64_t at = next_attempt_at(task, err);
	if (at > 0) {
		outbox_event(worker->outbox, task, TASK_RETRYING, at);
		outbox_retry(worker->outbox, task, task->scene.backoff_ms);
		return;
	}
	task->reply.state = TASK_FINAL_FAILED;
	if (err->code == ERROR_POISON)
		outbox_reply_and_park(worker->outbox, task, err->text);
	else
		outbox_reply(worker->outbox, task);
}

static void refuse(struct worker *worker, struct task *task, const struct error *err)
{
	task->reply.error = *err;
	task->reply.state = TASK_FINAL_FAILED;
	outbox_reply_and_park(worker->outbox, task, err->text);
}

/* What a compute thread has of its own. */
struct bench {
	unsigned thread;
	struct matcher *matcher;
	struct searches *searches;
};

static void finish(void *arg, struct task *task, const struct error *err)
{
	struct worker *worker = arg;

	if (err) {
		fail(worker, task, err);
		return;
	}
	pace_note(&worker->pace, &task->reply);
	task->reply.state = TASK_SUCCEEDED;
	outbox_reply(worker->outbox, task);
}

/* The rules as they are now. */
static void take_rules(struct worker *worker, struct bench *bench)
{
	pthread_mutex_lock(&worker->lock);
	struct matcher_rules rules = worker->settings.tuning.rules;
	pthread_mutex_unlock(&worker->lock);
	matcher_set_rules(bench->matcher, &rules);
}

/* What killed workers before is not let near this one. */
static int match_suspect(struct worker *worker, struct bench *bench, struct task *task, struct error *err)
{
	struct sightings *seen = calloc(1, sizeof(*seen));

	if (!seen)
		return error_set(err, ERROR_INTERNAL, "no memory for what is found in photographs");
	log_info(&task->ctx, "delivered again and again: looked at in a process of its own",
		 log_integer("delivery_count", task->delivery->envelope.delivery_count));
	metric_add(worker->meters.quarantined, 1);
	int r = quarantine_look(&worker->settings.quarantine, &task->ctx, &task->job, seen, err);
	if (r == 0)
		r = matcher_run_seen(bench->matcher, &task->ctx, &task->job, seen, &task->reply, err);
	sightings_finish(seen);
	free(seen);
	return r;
}

static void match(struct worker *worker, struct bench *bench, struct task *task)
{
	struct error err = {0};

	take_rules(worker, bench);
	if (quarantine_wants(task))
		finish(worker, task, match_suspect(worker, bench, task, &err) < 0 ? &err : NULL);
	else if (task->job.op == JOB_SEARCH)
		searches_take(bench->searches, task);
	else if (matcher_run(bench->matcher, &task->ctx, &task->job, &task->reply, &err) < 0)
		finish(worker, task, &err);
	else
		finish(worker, task, NULL);
}

/* The store is asked of a task that came before, and of one that is old enough to have been cancelled when this worker
 * was not there to hear of it. */
#define OLD_MS 5000

static bool came_before(const struct task *task)
{
	return task->delivery->redelivered || task->delivery->envelope.delivery_count > 0;
}

/* Not where waiting for the store would be what makes the task too late. */
static bool is_worth_asking(const struct task *task)
{
	int64_t left = context_remaining_ms(&task->ctx, INT64_MAX);

	return (left == 0 || left > RECORDS_MAX_WAIT_MS) &&
	       (came_before(task) || (task->lane == LANE_BATCH && task_age_ms(task) > OLD_MS));
}

/* Answers a task that has ended before as it was answered then; then it is handed over. Cancels one that was cancelled.
 */
static bool answer_again(struct worker *worker, struct task *task)
{
	struct reply recorded;

	if (!worker->records || !is_worth_asking(task) || !records_find(worker->records, task->ctx.task_id, &recorded))
		return false;
	bool cancelled = recorded.error.code == ERROR_CANCELLED;
	if (cancelled)
		context_cancel(&task->ctx);
	if (cancelled || !came_before(task)) {
		reply_finish(&recorded);
		return false;
	}
	outbox_reply_again(worker->outbox, task, &recorded);
	return true;
}

/* Whether the task can still be done in time; one that cannot is answered now, and those behind it come earlier. */
static int check_time(struct worker *worker, const struct task *task, struct error *err)
{
	double waited_ms = task->reply.timings.ms[STAGE_QUEUE];
	int r = context_check(&task->ctx, "the match began", err);

	if (r < 0 || task->ctx.deadline_ms == 0 || task_needs_fetch(task))
		return r;
	int64_t left_ms = context_remaining_ms(&task->ctx, INT64_MAX);
	if (!pace_is_hopeless(&worker->pace, task->job.op, waited_ms, (double)left_ms))
		return 0;
	return error_set(err, ERROR_DEADLINE_EXCEEDED, "after %.0f ms in the queue, the %d ms left are too few",
			 waited_ms, (int)left_ms);
}

/* What is optional, for the time being. */
static void degrade(struct task *task)
{
	task->reply.degraded = 1u << DEGRADED_TIMINGS;
	if (task->job.op == JOB_SEARCH && task->job.options.top_k != 1)
		task->reply.degraded |= 1u << DEGRADED_CANDIDATES;
}

/* First sight of a delivery: understand it, check that it is still wanted, say that it runs. */
static void begin(struct worker *worker, struct bench *bench, struct task *task)
{
	struct error err = {0};

	task->started = true;
	if (task_decode(task, worker->settings.name, &err) < 0) {
		refuse(worker, task, &err);
		return;
	}
	if (cancelled_has(worker->cancelled, task->ctx.task_id))
		context_cancel(&task->ctx);
	else if (answer_again(worker, task))
		return;
	timings_add(&task->reply.timings, STAGE_QUEUE, task_waited_ms(task));
	lanes_observe(worker->lanes, task->lane, task->reply.timings.ms[STAGE_QUEUE]);
	if (check_time(worker, task, &err) < 0) {
		fail(worker, task, &err);
		return;
	}
	task_begin_attempt(task);
	if (lanes_degraded(worker->lanes))
		degrade(task);
	outbox_event(worker->outbox, task, TASK_RUNNING, 0);
	if (task_needs_fetch(task))
		fetcher_start(worker->fetcher, task);
	else
		match(worker, bench, task);
}

/* A task comes back from the fetcher, with its images or without. */
static void resume(struct worker *worker, struct bench *bench, struct task *task)
{
	const struct error *failed = fetcher_error(task);
	struct error err = {0};
	double a = task->fetch_a.elapsed_ms;
	double b = task->fetch_b.elapsed_ms;

	timings_add(&task->reply.timings, STAGE_FETCH, a > b ? a : b);
	/* A fetch that ended because the time was over is the deadline's fault, not the server's. */
	if (context_check(&task->ctx, "the images were fetched", &err) < 0) {
		fail(worker, task, &err);
	} else if (failed) {
		err = *failed;
		err.image = failed == &task->fetch_a.error ? 'a' : 'b';
		fail(worker, task, &err);
	} else {
		match(worker, bench, task);
	}
}

static bool is_stale(struct worker *worker, const struct task *task)
{
	return task->delivery->tag.generation <= atomic_load(&worker->lost_generation);
}

static void run(void *arg, void *state, void *item)
{
	struct worker *worker = arg;
	struct bench *bench = state;
	struct task *task = item;

	vigil_begin(worker->vigil, bench->thread, clock_monotonic_ms());
	if (is_stale(worker, task)) {
		/* The broker has given it to somebody else by now. */
		metric_add(worker->meters.stale, 1);
		roster_remove(worker->roster, task);
	} else if (atomic_load(&worker->giving_back)) {
		worker_give_back(worker, task);
	} else if (task->started) {
		resume(worker, bench, task);
	} else {
		begin(worker, bench, task);
	}
	if (searches_are_due(bench->searches))
		searches_finish(bench->searches);
	vigil_end(worker->vigil, bench->thread);
}

static void idle(void *arg, void *state)
{
	struct worker *worker = arg;
	struct bench *bench = state;

	vigil_begin(worker->vigil, bench->thread, clock_monotonic_ms());
	searches_finish(bench->searches);
	vigil_end(worker->vigil, bench->thread);
}

static void leave(void *arg, void *state)
{
	struct bench *bench = state;

	(void)arg;
	searches_free(bench->searches);
	matcher_free(bench->matcher);
	free(bench);
}

static int enter(void *arg, unsigned index, void **state)
{
	struct worker *worker = arg;
	struct bench *bench = calloc(1, sizeof(*bench));
	struct error err = {0};

	int r = bench ? matcher_new(&bench->matcher, &worker->settings.matcher, &err)
		      : error_set(&err, ERROR_INTERNAL, "no memory for a compute thread");
	if (r == 0) {
		bench->thread = index;
		bench->searches = searches_new(bench->matcher, worker->settings.searches_together, finish, worker);
		r = bench->searches ? 0 : error_set(&err, ERROR_INTERNAL, "no memory for searches");
	}
	if (r < 0) {
		if (bench)
			leave(worker, bench);
		pthread_mutex_lock(&worker->lock);
		worker->failure = err;
		pthread_mutex_unlock(&worker->lock);
		return r;
	}
	*state = bench;
	return 0;
}

const struct pool_ops worker_tasks = {.enter = enter, .run = run, .idle = idle, .leave = leave};
