#include "overload.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/depths.h"
#include "base/clock.h"
#include "base/thread.h"
#include "job/scene.h"
#include "obs/log.h"
#include "problems.h"
#include "shedding.h"
#include "waits.h"

#define TURN_MS 1000
/* Bounds of Retry-After. */
#define RETRY_LEAST_S 1
#define RETRY_MOST_S 30

struct overload {
	struct amqp_depths *depths;
	struct metric *depth[LANE_COUNT];
	struct metric *wait[LANE_COUNT];
	struct metric *part;
	struct metric *shed[LANE_COUNT];
	struct metric *over_share;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock;
	pthread_cond_t stopped;
	bool stopping;
	int64_t max_queue_depth;
	struct waits waits[LANE_COUNT];
	struct shedding *shedding; /* of the realtime lane */
};

/* --- making --------------------------------------------------------------------------------------- */

static struct metric *shed_counter(struct metrics *metrics, enum lane lane, const char *code)
{
	const char *labels[] = {"lane", lane_name(lane), "code", code, NULL};

	return metrics_counter(metrics, "facefleet_gateway_shed_total", "Jobs refused because there were too many.",
			       labels);
}

static void make_metrics(struct overload *o, struct metrics *metrics)
{
	for (unsigned i = 0; i < LANE_COUNT; i++) {
		enum lane lane = (enum lane)i;
		const char *labels[] = {"lane", lane_name(lane), NULL};
		o->depth[lane] = metrics_gauge(metrics, "facefleet_gateway_queue_depth",
					       "Jobs in the lane's queue that no worker has in hand.", labels);
		o->wait[lane] = metrics_gauge(metrics, "facefleet_gateway_queue_wait_seconds",
					      "Estimated wait of a job that is accepted now.", labels);
		o->shed[lane] = shed_counter(metrics, lane, http_problem_overloaded.code);
	}
	o->over_share = shed_counter(metrics, LANE_REALTIME, problem_over_share.code);
	o->part =
	    metrics_gauge(metrics, "facefleet_gateway_realtime_part", "Part of the realtime jobs that is taken.", NULL);
	metric_set(o->part, 1);
}

struct overload *overload_new(const struct overload_settings *settings)
{
	struct overload *o = calloc(1, sizeof(*o));
	pthread_condattr_t attributes;

	if (!o)
		return NULL;
	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&o->stopped, &attributes);
	pthread_condattr_destroy(&attributes);
	o->max_queue_depth = settings->max_queue_depth;
	o->depths = amqp_depths_new(settings->url, TOPOLOGY_JOBS);
	o->shedding = shedding_new();
	if (!o->depths || !o->shedding) {
		overload_free(o);
		return NULL;
	}
	make_metrics(o, settings->metrics);
	return o;
}

void overload_free(struct overload *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	o->stopping = true;
	pthread_cond_signal(&o->stopped);
	pthread_mutex_unlock(&o->lock);
	if (o->started)
		pthread_join(o->thread, NULL);
	amqp_depths_free(o->depths);
	shedding_free(o->shedding);
	pthread_cond_destroy(&o->stopped);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

/* --- the thread ----------------------------------------------------------------------------------- */

static void note_part(struct overload *o, double before, double wait_ms)
{
	double part = shedding_part(o->shedding);

	metric_set(o->part, part);
	if (before == 1 && part < 1)
		log_warning(NULL, "refusing realtime jobs: they would wait for too long",
			    log_number("wait_ms", wait_ms));
	else if (before < 1 && part == 1)
		log_info(NULL, "taking all realtime jobs again");
}

static void count(struct overload *o, const struct amqp_depth *rows, unsigned row_count, int64_t now_ms)
{
	for (unsigned i = 0; i < row_count; i++)
		for (unsigned lane = 0; lane < LANE_COUNT; lane++)
			if (rows[i].exists && strcmp(rows[i].queue, topology_lane_queue((enum lane)lane)) == 0) {
				waits_count(&o->waits[lane], rows[i].ready, now_ms);
				metric_set(o->depth[lane], rows[i].ready);
			}
}

static void turn(struct overload *o)
{
	const struct amqp_depth *rows = NULL;
	unsigned row_count = 0;
	struct scene realtime = {0};
	struct error err;
	double wait_ms[LANE_COUNT];

	if (amqp_depths_read(o->depths, &rows, &row_count, &err) < 0) {
		log_debug(NULL, "the queues' depths are not known", LOG_ERROR_FIELDS(&err));
		row_count = 0;
	}
	(void)scene_find("realtime", &realtime); /* it is in every table */
	int64_t now_ms = clock_monotonic_ms();
	pthread_mutex_lock(&o->lock);
	count(o, rows, row_count, now_ms);
	for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
		wait_ms[lane] = waits_estimate(&o->waits[lane], now_ms);
		metric_set(o->wait[lane], wait_ms[lane] / 1000);
	}
	double before = shedding_part(o->shedding);
	shedding_turn(o->shedding, wait_ms[LANE_REALTIME], (double)realtime.end_to_end_ms);
	note_part(o, before, wait_ms[LANE_REALTIME]);
	pthread_mutex_unlock(&o->lock);
}

/* False when it is time to end. */
static bool rest(struct overload *o)
{
	struct timespec until = clock_timespec_in_ms(TURN_MS);

	pthread_mutex_lock(&o->lock);
	if (!o->stopping)
		pthread_cond_timedwait(&o->stopped, &o->lock, &until);
	bool goes_on = !o->stopping;
	pthread_mutex_unlock(&o->lock);
	return goes_on;
}

static void *watch(void *arg)
{
	thread_set_name("depths");
	do
		turn(arg);
	while (rest(arg));
	return NULL;
}

int overload_start(struct overload *o)
{
	int r = thread_start(&o->thread, watch, o);

	o->started = r == 0;
	return r;
}

/* --- asked and told by others ---------------------------------------------------------------------- */

void overload_set_max_queue_depth(struct overload *o, int64_t max_queue_depth)
{
	pthread_mutex_lock(&o->lock);
	o->max_queue_depth = max_queue_depth;
	pthread_mutex_unlock(&o->lock);
}

void overload_hear(struct overload *o, const struct reply *reply)
{
	struct scene scene;
	double wait_ms = reply->timings.ms[STAGE_QUEUE];

	/* The wait of a later attempt begins anew: it says nothing of the queue that new jobs come to. */
	if (wait_ms < 0 || reply->attempt > 1 || !scene_find(reply->scene, &scene))
		return;
	pthread_mutex_lock(&o->lock);
	waits_hear(&o->waits[scene.lane], wait_ms, clock_monotonic_ms());
	pthread_mutex_unlock(&o->lock);
}

static int retry_after_s(double wait_ms)
{
	double s = RETRY_LEAST_S + wait_ms / 1000;

	return s < RETRY_MOST_S ? (int)s : RETRY_MOST_S;
}

static bool admit_batch(struct overload *o, struct http_problem *problem)
{
	pthread_mutex_lock(&o->lock);
	int64_t now_ms = clock_monotonic_ms();
	int64_t depth = waits_depth(&o->waits[LANE_BATCH], now_ms);
	double rate = waits_rate(&o->waits[LANE_BATCH], now_ms);
	int64_t most = o->max_queue_depth;
	pthread_mutex_unlock(&o->lock);
	if (most == 0 || depth <= most)
		return true;
	http_problem_init(problem, &http_problem_overloaded, "%lld batch jobs are queued, %lld may be",
			  (long long)depth, (long long)most);
	problem->retry_after_s = rate > 0 ? retry_after_s(1000 * (double)(depth - most) / rate) : RETRY_MOST_S;
	metric_add(o->shed[LANE_BATCH], 1);
	return false;
}

static bool admit_realtime(struct overload *o, const char *name, struct http_problem *problem)
{
	pthread_mutex_lock(&o->lock);
	enum shedding_verdict verdict = shedding_ask(o->shedding, name);
	double wait_ms = waits_estimate(&o->waits[LANE_REALTIME], clock_monotonic_ms());
	pthread_mutex_unlock(&o->lock);
	if (verdict == SHEDDING_TAKE)
		return true;
	bool over_share = verdict == SHEDDING_OVER_SHARE;
	http_problem_init(problem, over_share ? &problem_over_share : &http_problem_overloaded,
			  "realtime jobs wait for about %.0f ms; a part of them is taken", wait_ms);
	problem->retry_after_s = retry_after_s(wait_ms);
	metric_add(over_share ? o->over_share : o->shed[LANE_REALTIME], 1);
	return false;
}

bool overload_admit(struct overload *o, const char *scene_name, const char *name, struct http_problem *problem)
{
	struct scene scene;

	/* What has no scene is refused for that. */
	if (!scene_find(scene_name, &scene))
		return true;
	return scene.lane == LANE_REALTIME ? admit_realtime(o, name, problem) : admit_batch(o, problem);
}
