#include "worker_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/stop.h"
#include "obs/log.h"

/* After a reconnect the tasks of the lost connection can still be queued beside the new ones, and
 * a task comes back once after its images were fetched. Prefetches may rise while the worker runs. */
#define QUEUE_SLACK 4
#define MAX_IN_HAND ((size_t)QUEUE_SLACK * LANE_COUNT * WORKER_MAX_PREFETCH)
#define TICK_MS 100
#define FLUSH_TIMEOUT_MS 5000
#define REQUEUE_TIMEOUT_MS 3000
/* The jobs link's consumers are numbered like the lanes; this one comes after them. */
#define CONTROL_CONSUMER LANE_COUNT
#define CONTROL_PREFETCH 100

/* ---- what the links and the fetcher call ---- */

static void enqueue(struct worker *worker, struct task *task)
{
	int r = task->lane == LANE_REALTIME ? queue_push_urgent(worker->queue, task, 0)
					    : queue_push(worker->queue, task, 0);

	/* Full is not to be expected, by prefetch and slack; closed means the worker is stopping. */
	if (r < 0)
		worker_give_back(worker, task);
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
	lanes_hold(worker->lanes, wanted);
}

/* ---- start ---- */

static struct amqp_link_settings link_settings(struct worker *worker)
{
	const struct worker_settings *s = &worker->settings;
	struct amqp_link_settings link = s->link;

	/* Every task in hand can say a handful of things while the broker is away. */
	link.publish_backlog = 1000 + 8 * MAX_IN_HAND;
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
	jobs.topology = TOPOLOGY_JOBS | TOPOLOGY_CONTROL;
	jobs.on_lost = on_lost;
	replies.name = "facefleet-worker replies";
	replies.topology =
	    TOPOLOGY_JOBS | TOPOLOGY_REPLIES | TOPOLOGY_CALLBACKS | TOPOLOGY_JOB_RETRIES | TOPOLOGY_CONTROL;
	int r = amqp_link_new(&worker->jobs, &jobs, err);
	for (unsigned lane = 0; r == 0 && lane < LANE_COUNT; lane++) {
		const struct amqp_consumer_settings consumer = {
		    .queue = topology_lane_queue((enum lane)lane),
		    .prefetch = worker->settings.tuning.prefetch[lane],
		    .on_delivery = on_delivery,
		    .arg = worker,
		};
		if (amqp_link_add_consumer(worker->jobs, &consumer) != (int)lane)
			r = error_set(err, ERROR_INTERNAL, "no memory for a consumer");
	}
	const struct amqp_consumer_settings control = {
	    .queue = TOPOLOGY_CONTROL_EXCHANGE,
	    .hears = TOPOLOGY_CONTROL_EXCHANGE,
	    .prefetch = CONTROL_PREFETCH,
	    .on_delivery = worker_take_control,
	    .arg = worker,
	};
	if (r == 0 && amqp_link_add_consumer(worker->jobs, &control) != CONTROL_CONSUMER)
		r = error_set(err, ERROR_INTERNAL, "no memory for a consumer");
	return r < 0 ? r : amqp_link_new(&worker->replies, &replies, err);
}

static int make_rooms(struct worker *worker, struct error *err)
{
	const struct worker_settings *s = &worker->settings;
	const struct fetcher_settings fetcher = {
	    .allow = s->fetch_allow,
	    .timeout_ms = s->tuning.fetch_timeout_ms,
	    .max_bytes = s->matcher.limits.max_bytes,
	    .max_in_flight = s->fetch_max_in_flight,
	    .metrics = s->metrics,
	    .done = on_fetched,
	    .arg = worker,
	};

	worker->roster = roster_new();
	worker->cancelled = cancelled_new();
	worker->queue = queue_new(MAX_IN_HAND);
	worker->vigil = vigil_new(s->threads, clock_monotonic_ms());
	if (!worker->roster || !worker->cancelled || !worker->queue || !worker->vigil)
		return error_set(err, ERROR_INTERNAL, "no memory for the worker");
	const struct lanes_settings lanes = {
	    .link = worker->jobs,
	    .prefetch =
		{[LANE_REALTIME] = s->tuning.prefetch[LANE_REALTIME], [LANE_BATCH] = s->tuning.prefetch[LANE_BATCH]},
	    .realtime_wait_target_ms = s->tuning.realtime_wait_target_ms,
	    .metrics = s->metrics,
	};
	worker->lanes = lanes_new(&lanes);
	const struct pulse_settings pulse = {
	    .publisher = worker->replies,
	    .roster = worker->roster,
	    .meters = &worker->meters,
	    .worker = s->name,
	    .model = s->matcher.models->embedder.name,
	    .threads = s->threads,
	    .interval_ms = s->tuning.heartbeat_ms,
	};
	worker->pulse = pulse_new(&pulse);
	const struct outbox_settings outbox = {
	    .publisher = worker->replies,
	    .roster = worker->roster,
	    .meters = &worker->meters,
	    .worker = s->name,
	    .hold = hold,
	    .arg = worker,
	};
	worker->outbox = outbox_new(&outbox);
	if (!worker->lanes || !worker->outbox || !worker->pulse)
		return error_set(err, ERROR_INTERNAL, "no memory for the worker");
	return fetcher_new(&worker->fetcher, &fetcher, err);
}

static int start_registry(struct worker *worker, struct error *err)
{
	struct registry_settings *settings = &worker->settings.registry;

	if (!settings->store.url[0])
		return 0;
	settings->announce = worker_announce_people;
	settings->arg = worker;
	int r = registry_start(&worker->registry, settings, err);
	if (r < 0)
		return r;
	worker->settings.matcher.people = registry_desk(worker->registry);
	worker->records = records_new(&registry_desk(worker->registry)->store);
	return worker->records ? 0 : error_set(err, ERROR_INTERNAL, "no memory for the worker");
}

static int start_threads(struct worker *worker, struct error *err)
{
	struct dead_settings dead = {
	    .link = link_settings(worker),
	    .roster = worker->roster,
	    .outbox = worker->outbox,
	    .records = worker->records,
	    .worker = worker->settings.name,
	};

	int r = pool_start(&worker->pool, "compute", worker->settings.threads, worker->queue, &worker_tasks, worker);
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
	worker->settings.matcher.rules = settings->tuning.rules;
	pthread_mutex_init(&worker->lock, NULL);
	meters_init(&worker->meters, settings->metrics);
	int r = make_links(worker, err);
	if (r == 0)
		r = make_rooms(worker, err);
	if (r == 0)
		r = start_registry(worker, err);
	if (r == 0)
		r = start_threads(worker, err);
	if (r < 0) {
		worker_stop(worker);
		return r;
	}
	vigil_turn(worker->vigil, clock_monotonic_ms());
	*out = worker;
	return 0;
}

/* ---- life ---- */

void worker_tune(struct worker *worker, const struct worker_tuning *tuning)
{
	for (unsigned lane = 0; lane < LANE_COUNT; lane++)
		if (tuning->prefetch[lane] != worker->settings.tuning.prefetch[lane])
			lanes_set_prefetch(worker->lanes, lane, tuning->prefetch[lane]);
	lanes_set_wait_target(worker->lanes, tuning->realtime_wait_target_ms);
	fetcher_set_timeout(worker->fetcher, tuning->fetch_timeout_ms);
	pulse_set_interval(worker->pulse, tuning->heartbeat_ms);
	pthread_mutex_lock(&worker->lock);
	worker->settings.tuning = *tuning;
	pthread_mutex_unlock(&worker->lock);
}

void worker_tick(struct worker *worker)
{
	vigil_turn(worker->vigil, clock_monotonic_ms());
	metric_set(worker->meters.in_hand, (double)roster_count(worker->roster));
	outbox_tick(worker->outbox);
	lanes_tick(worker->lanes);
	pulse_tick(worker->pulse);
}

bool worker_failed(struct worker *worker, struct error *err)
{
	pthread_mutex_lock(&worker->lock);
	bool failed = error_is_set(&worker->failure);
	if (failed)
		*err = worker->failure;
	pthread_mutex_unlock(&worker->lock);
	return failed || (worker->registry && registry_failed(worker->registry, err));
}

/* ---- stop ---- */

static void finish_in_hand(struct worker *worker)
{
	int64_t until = clock_monotonic_ms() + worker->settings.tuning.drain_timeout_ms;

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
	lanes_leave(worker->lanes);
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
	/* What comes when the threads have ended is given back. The fetcher outlives them: what was late to arrive may
	 * still be fetched for. The publisher ends before the links its outcomes settle on; but those links still say
	 * things to it until they have ended. */
	atomic_store(&worker->draining, true);
	pool_stop(worker->pool);
	fetcher_free(worker->fetcher);
	amqp_link_stop(worker->replies);
	amqp_link_free(worker->jobs);
	dead_free(worker->dead);
	amqp_link_free(worker->replies);
	records_free(worker->records);
	registry_stop(worker->registry);
	outbox_free(worker->outbox);
	lanes_free(worker->lanes);
	pulse_free(worker->pulse);
	cancelled_free(worker->cancelled);
	roster_free(worker->roster);
	queue_free(worker->queue);
	vigil_free(worker->vigil);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}
