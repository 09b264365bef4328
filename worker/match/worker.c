#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/pool.h"
#include "base/queue.h"
#include "base/stop.h"
#include "dead.h"
#include "fetcher.h"
#include "meters.h"
#include "obs/log.h"
#include "outbox.h"
#include "roster.h"

/* After a reconnect the tasks of the lost connection can still be queued beside the new ones, and
 * a task comes back once after its images were fetched. */
#define QUEUE_SLACK 4
/* How long a loop may not turn before the worker counts as dead. */
#define LOOP_SILENT_MAX_MS 30000
#define TICK_MS 100
#define FLUSH_TIMEOUT_MS 5000
#define REQUEUE_TIMEOUT_MS 3000

struct worker {
	struct worker_settings settings;
	struct meters meters;
	struct amqp_link *jobs;    /* consumes both lanes; its consumers are numbered like the lanes */
	struct amqp_link *replies; /* publishes */
	struct dead *dead;
	struct roster *roster;
	struct outbox *outbox;
	struct fetcher *fetcher;
	struct queue *queue;
	struct pool *pool;

	atomic_uint_fast64_t lost_generation; /* of the jobs link: what came in on it or before is stale */
	atomic_bool draining;                 /* consumes no more */
	atomic_bool giving_back;              /* what is in hand goes back to the queue */

	pthread_mutex_t lock;
	struct error failure; /* what no reconnect mends */
};

/* ---- the life of a task on a compute thread ---- */

static void give_back(struct worker *worker, struct task *task)
{
	metric_add(worker->meters.requeued, 1);
	amqp_link_settle(task->source, task->delivery->tag, AMQP_REQUEUE);
	roster_remove(worker->roster, task);
}

/* The time of the next attempt (unix ms), or 0 when there is to be none. */
static int64_t next_attempt_at(const struct task *task, const struct error *err)
{
	if (err->class != ERROR_CLASS_RETRY || task->attempt > task->scene->retries)
		return 0;
	int64_t at = clock_unix_ms() + task->scene->backoff_ms;
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
		give_back(worker, task);
		return;
	}
	task->reply.error = *err;
	if (is_failed_attempt(err))
		outbox_event(worker->outbox, task, TASK_FAILED, 0);
	int64_t at = next_attempt_at(task, err);
	if (at > 0) {
		outbox_event(worker->outbox, task, TASK_RETRYING, at);
		outbox_retry(worker->outbox, task, task->scene->backoff_ms);
		return;
	}
	task->reply.state = TASK_FINAL_FAILED;
	outbox_reply(worker->outbox, task);
}

static void refuse(struct worker *worker, struct task *task, const struct error *err)
{
	task->reply.error = *err;
	task->reply.state = TASK_FINAL_FAILED;
	outbox_reply_and_park(worker->outbox, task, err->text);
}

static void match(struct worker *worker, struct matcher *matcher, struct task *task)
{
	struct error err = {0};

	if (matcher_run(matcher, &task->ctx, &task->job, &task->reply, &err) < 0) {
		fail(worker, task, &err);
		return;
	}
	task->reply.state = TASK_SUCCEEDED;
	outbox_reply(worker->outbox, task);
}

/* First sight of a delivery: understand it, check that it is still wanted, say that it runs. */
static void begin(struct worker *worker, struct matcher *matcher, struct task *task)
{
	struct error err = {0};

	task->started = true;
	if (task_decode(task, worker->settings.name, &err) < 0) {
		refuse(worker, task, &err);
		return;
	}
	timings_add(&task->reply.timings, STAGE_QUEUE, task_waited_ms(task));
	if (context_check(&task->ctx, "the match began", &err) < 0) {
		fail(worker, task, &err);
		return;
	}
	task_begin_attempt(task);
	outbox_event(worker->outbox, task, TASK_RUNNING, 0);
	if (task_needs_fetch(task))
		fetcher_start(worker->fetcher, task);
	else
		match(worker, matcher, task);
}

/* A task comes back from the fetcher, with its images or without. */
static void resume(struct worker *worker, struct matcher *matcher, struct task *task)
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
		match(worker, matcher, task);
	}
}

static bool is_stale(struct worker *worker, const struct task *task)
{
	return task->delivery->tag.generation <= atomic_load(&worker->lost_generation);
}

static void run(void *arg, void *state, void *item)
{
	struct worker *worker = arg;
	struct task *task = item;

	if (is_stale(worker, task)) {
		/* The broker has given it to somebody else by now. */
		metric_add(worker->meters.stale, 1);
		roster_remove(worker->roster, task);
	} else if (atomic_load(&worker->giving_back)) {
		give_back(worker, task);
	} else if (task->started) {
		resume(worker, state, task);
	} else {
		begin(worker, state, task);
	}
}

static int enter(void *arg, unsigned index, void **state)
{
	struct worker *worker = arg;
	struct matcher *matcher = NULL;
	struct error err = {0};

	(void)index;
	int r = matcher_new(&matcher, &worker->settings.matcher, &err);
	if (r < 0) {
		pthread_mutex_lock(&worker->lock);
		worker->failure = err;
		pthread_mutex_unlock(&worker->lock);
		return r;
	}
	*state = matcher;
	return 0;
}

static void leave(void *arg, void *state)
{
	(void)arg;
	matcher_free(state);
}

static const struct pool_ops compute = {.enter = enter, .run = run, .leave = leave};

/* ---- what the links and the fetcher call ---- */

static void enqueue(struct worker *worker, struct task *task)
{
	int r = task->lane == LANE_REALTIME ? queue_push_urgent(worker->queue, task, 0)
					    : queue_push(worker->queue, task, 0);

	/* Full cannot be, by prefetch and slack; closed means the worker is stopping. */
	if (r < 0)
		give_back(worker, task);
}

static void on_delivery(void *arg, struct amqp_delivery *delivery)
{
	struct worker *worker = arg;
	struct task *task = task_new(delivery, worker->jobs, (enum lane)delivery->tag.consumer);

	if (!task) {
		log_error(NULL, "no memory for a job; it goes back to the queue");
		amqp_link_settle(worker->jobs, delivery->tag, AMQP_REQUEUE);
		amqp_delivery_free(delivery);
		return;
	}
	roster_add(worker->roster, task);
	enqueue(worker, task);
}

static void on_fetched(void *arg, struct task *task)
{
	enqueue(arg, task);
}

static void on_lost(void *arg, uint64_t generation)
{
	struct worker *worker = arg;

	atomic_store(&worker->lost_generation, generation);
}

static void on_fatal(void *arg, const struct error *err)
{
	struct worker *worker = arg;

	pthread_mutex_lock(&worker->lock);
	worker->failure = *err;
	pthread_mutex_unlock(&worker->lock);
}

static void hold(void *arg, bool wanted)
{
	struct worker *worker = arg;

	if (atomic_load(&worker->draining))
		return;
	log_info(NULL, wanted ? "consuming paused: replies are refused" : "consuming resumed");
	for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
		if (wanted)
			amqp_link_pause(worker->jobs, lane);
		else
			amqp_link_resume(worker->jobs, lane, 0);
	}
}

/* ---- start ---- */

static struct amqp_link_settings link_settings(struct worker *worker)
{
	const struct worker_settings *s = &worker->settings;
	size_t in_hand = (size_t)s->prefetch[LANE_REALTIME] + s->prefetch[LANE_BATCH];

	struct amqp_link_settings link = s->link;

	/* Every task in hand can say a handful of things while the broker is away. */
	link.publish_backlog = 1000 + QUEUE_SLACK * 8 * in_hand;
	link.metrics = s->metrics;
	link.on_fatal = on_fatal;
	link.arg = worker;
	return link;
}

static int make_links(struct worker *worker, struct error *err)
{
	struct amqp_link_settings jobs = link_settings(worker);
	struct amqp_link_settings replies = link_settings(worker);

	jobs.name = "facefleet-worker jobs";
	jobs.topology = TOPOLOGY_JOBS;
	jobs.on_lost = on_lost;
	replies.name = "facefleet-worker replies";
	replies.topology = TOPOLOGY_JOBS | TOPOLOGY_REPLIES | TOPOLOGY_CALLBACKS | TOPOLOGY_JOB_RETRIES;
	int r = amqp_link_new(&worker->jobs, &jobs, err);
	for (unsigned lane = 0; r == 0 && lane < LANE_COUNT; lane++) {
		const struct amqp_consumer_settings consumer = {
		    .queue = topology_lane_queue((enum lane)lane),
		    .prefetch = worker->settings.prefetch[lane],
		    .on_delivery = on_delivery,
		    .arg = worker,
		};
		if (amqp_link_add_consumer(worker->jobs, &consumer) != (int)lane)
			r = error_set(err, ERROR_INTERNAL, "no memory for a consumer");
	}
	return r < 0 ? r : amqp_link_new(&worker->replies, &replies, err);
}

static int make_rooms(struct worker *worker, struct error *err)
{
	const struct worker_settings *s = &worker->settings;
	size_t in_hand = (size_t)s->prefetch[LANE_REALTIME] + s->prefetch[LANE_BATCH];
	const struct fetcher_settings fetcher = {
	    .allow = s->fetch_allow,
	    .timeout_ms = s->fetch_timeout_ms,
	    .max_bytes = s->matcher.limits.max_bytes,
	    .max_in_flight = s->fetch_max_in_flight,
	    .done = on_fetched,
	    .arg = worker,
	};

	worker->roster = roster_new();
	worker->queue = queue_new(QUEUE_SLACK * in_hand);
	if (!worker->roster || !worker->queue)
		return error_set(err, ERROR_INTERNAL, "no memory for the worker");
	const struct outbox_settings outbox = {
	    .publisher = worker->replies,
	    .roster = worker->roster,
	    .meters = &worker->meters,
	    .worker = s->name,
	    .hold = hold,
	    .arg = worker,
	};
	worker->outbox = outbox_new(&outbox);
	if (!worker->outbox)
		return error_set(err, ERROR_INTERNAL, "no memory for the worker");
	return fetcher_new(&worker->fetcher, &fetcher, err);
}

static int start_threads(struct worker *worker, struct error *err)
{
	struct dead_settings dead = {
	    .link = link_settings(worker),
	    .roster = worker->roster,
	    .outbox = worker->outbox,
	    .worker = worker->settings.name,
	};

	int r = pool_start(&worker->pool, "compute", worker->settings.threads, worker->queue, &compute, worker);
	if (r < 0) {
		if (!worker_failed(worker, err))
			error_set(err, ERROR_INTERNAL, "compute threads: %s", strerror(-r));
		return r;
	}
	r = amqp_link_start(worker->replies, err);
	if (r == 0)
		r = amqp_link_start(worker->jobs, err);
	return r < 0 ? r : dead_start(&worker->dead, &dead, err);
}

int worker_start(struct worker **out, const struct worker_settings *settings, struct error *err)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return error_set(err, ERROR_INTERNAL, "no memory for the worker");
	worker->settings = *settings;
	pthread_mutex_init(&worker->lock, NULL);
	meters_init(&worker->meters, settings->metrics);
	int r = make_links(worker, err);
	if (r == 0)
		r = make_rooms(worker, err);
	if (r == 0)
		r = start_threads(worker, err);
	if (r < 0) {
		worker_stop(worker);
		return r;
	}
	*out = worker;
	return 0;
}

/* ---- life ---- */

void worker_tick(struct worker *worker)
{
	metric_set(worker->meters.in_hand, (double)roster_count(worker->roster));
	outbox_tick(worker->outbox);
}

bool worker_failed(struct worker *worker, struct error *err)
{
	pthread_mutex_lock(&worker->lock);
	bool failed = error_is_set(&worker->failure);
	if (failed)
		*err = worker->failure;
	pthread_mutex_unlock(&worker->lock);
	return failed;
}

bool worker_is_healthy(void *arg, char *why, size_t why_size)
{
	struct worker *worker = arg;
	struct amqp_link *links[] = {worker->jobs, worker->replies};

	for (size_t i = 0; i < array_size(links); i++) {
		struct amqp_link_status status;
		amqp_link_status(links[i], &status);
		if (status.loop_silent_ms > LOOP_SILENT_MAX_MS) {
			snprintf(why, why_size, "the broker loop has not turned for %lld ms",
				 (long long)status.loop_silent_ms);
			return false;
		}
	}
	return true;
}

static bool link_is_ready(struct worker *worker, struct amqp_link *link, const char *name, char *why, size_t why_size)
{
	struct amqp_link_status status;

	amqp_link_status(link, &status);
	if (!status.connected)
		snprintf(why, why_size, "%s: not connected to the broker%s%s", name,
			 status.last_error.text[0] ? ": " : "", status.last_error.text);
	else if (!status.consuming)
		snprintf(why, why_size, "%s: no consumer registered", name);
	else if (status.silent_ms > 3000 * worker->settings.link.heartbeat_s)
		snprintf(why, why_size, "%s: no frame from the broker for %lld ms", name, (long long)status.silent_ms);
	else if (status.blocked)
		snprintf(why, why_size, "%s: the broker blocks publishers (memory or disk alarm)", name);
	else
		return true;
	return false;
}

bool worker_is_ready(void *arg, char *why, size_t why_size)
{
	struct worker *worker = arg;

	if (atomic_load(&worker->draining)) {
		snprintf(why, why_size, "stopping");
		return false;
	}
	if (outbox_refused(worker->outbox)) {
		snprintf(why, why_size, "the broker refuses replies");
		return false;
	}
	return link_is_ready(worker, worker->jobs, "jobs", why, why_size) &&
	       link_is_ready(worker, worker->replies, "replies", why, why_size);
}

/* ---- stop ---- */

static void finish_in_hand(struct worker *worker)
{
	int64_t until = clock_monotonic_ms() + worker->settings.drain_timeout_ms;

	log_info(NULL, "draining", log_integer("in_hand", (int64_t)roster_count(worker->roster)));
	while (roster_wait_empty(worker->roster, TICK_MS) < 0 && clock_monotonic_ms() < until && stop_requested() < 2)
		worker_tick(worker);
	size_t left = roster_count(worker->roster);
	if (left == 0)
		return;
	log_warning(NULL, "giving unfinished jobs back to the queue", log_integer("jobs", (int64_t)left));
	atomic_store(&worker->giving_back, true);
	roster_cancel_all(worker->roster);
	if (roster_wait_empty(worker->roster, REQUEUE_TIMEOUT_MS) < 0)
		log_warning(NULL, "closing with unsettled jobs; the broker delivers them again",
			    log_integer("jobs", (int64_t)roster_count(worker->roster)));
}

void worker_drain(struct worker *worker)
{
	atomic_store(&worker->draining, true);
	if (amqp_link_drain(worker->jobs, FLUSH_TIMEOUT_MS) < 0)
		log_warning(NULL, "broker did not confirm the end of consuming");
	dead_drain(worker->dead);
	finish_in_hand(worker);
	if (amqp_link_wait_confirms(worker->replies, FLUSH_TIMEOUT_MS) < 0)
		log_warning(NULL, "closing with unconfirmed messages");
}

void worker_stop(struct worker *worker)
{
	if (!worker)
		return;
	/* Producers of work before its consumers, and the publisher before the links its outcomes settle on. */
	atomic_store(&worker->draining, true);
	fetcher_free(worker->fetcher);
	pool_stop(worker->pool);
	amqp_link_free(worker->replies);
	amqp_link_free(worker->jobs);
	dead_free(worker->dead);
	outbox_free(worker->outbox);
	roster_free(worker->roster);
	queue_free(worker->queue);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}
