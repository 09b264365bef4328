#include "lanes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "obs/log.h"
#include "yielding.h"

struct lanes {
	struct amqp_link *link;
	struct metric *waits[LANE_COUNT];
	struct metric *share;
	struct metric *degraded_gauge;
	atomic_bool degraded;

	pthread_mutex_t lock;
	uint16_t prefetch[LANE_COUNT];
	struct yielding yielding;
	bool held;
	bool left;
};

static void make_metrics(struct lanes *lanes, struct metrics *metrics)
{
	for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
		const char *labels[] = {"lane", lane_name((enum lane)lane), NULL};
		lanes->waits[lane] = metrics_histogram(metrics, "facefleet_queue_wait_seconds",
						       "Time from acceptance to the start of computing.", labels,
						       metrics_latency_bounds, metrics_latency_bound_count);
	}
	lanes->share =
	    metrics_gauge(metrics, "facefleet_batch_share",
			  "Share of the batch lane's prefetch that is used: less while realtime jobs wait.", NULL);
	lanes->degraded_gauge =
	    metrics_gauge(metrics, "facefleet_degraded", "1 while what is optional is left out of replies.", NULL);
	metric_set(lanes->share, 1);
}

struct lanes *lanes_new(const struct lanes_settings *settings)
{
	struct lanes *lanes = calloc(1, sizeof(*lanes));

	if (!lanes)
		return NULL;
	lanes->link = settings->link;
	for (unsigned lane = 0; lane < LANE_COUNT; lane++)
		lanes->prefetch[lane] = settings->prefetch[lane];
	yielding_init(&lanes->yielding, settings->realtime_wait_target_ms, (double)random_between(0, 1000) / 1000);
	pthread_mutex_init(&lanes->lock, NULL);
	make_metrics(lanes, settings->metrics);
	return lanes;
}

void lanes_free(struct lanes *lanes)
{
	if (!lanes)
		return;
	pthread_mutex_destroy(&lanes->lock);
	free(lanes);
}

/* Brings a consumer to where it should be. Idempotent. With the lock held. */
static void apply(struct lanes *lanes, enum lane lane)
{
	uint16_t prefetch = lanes->prefetch[lane];

	if (lanes->left)
		return;
	if (lane == LANE_BATCH)
		prefetch = yielding_prefetch(&lanes->yielding, prefetch);
	if (lanes->held || prefetch == 0)
		amqp_link_pause(lanes->link, lane);
	else
		amqp_link_resume(lanes->link, lane, prefetch);
}

void lanes_observe(struct lanes *lanes, enum lane lane, double wait_ms)
{
	metric_observe(lanes->waits[lane], wait_ms / 1000);
	if (lane != LANE_REALTIME)
		return;
	pthread_mutex_lock(&lanes->lock);
	yielding_observe(&lanes->yielding, wait_ms, clock_monotonic_ms());
	pthread_mutex_unlock(&lanes->lock);
}

/* With the lock held. */
static void note_step(struct lanes *lanes)
{
	double share = yielding_share(&lanes->yielding);
	bool degraded = lanes->yielding.step == YIELDING_DEGRADED;

	metric_set(lanes->share, share);
	metric_set(lanes->degraded_gauge, degraded);
	atomic_store(&lanes->degraded, degraded);
	log_info(NULL, "the batch lane's share changed, by how long realtime jobs wait", log_number("share", share),
		 log_boolean("degraded", degraded));
}

void lanes_tick(struct lanes *lanes)
{
	pthread_mutex_lock(&lanes->lock);
	if (yielding_turn(&lanes->yielding, clock_monotonic_ms())) {
		note_step(lanes);
		apply(lanes, LANE_BATCH);
	}
	pthread_mutex_unlock(&lanes->lock);
}

void lanes_hold(struct lanes *lanes, bool held)
{
	pthread_mutex_lock(&lanes->lock);
	lanes->held = held;
	for (unsigned lane = 0; lane < LANE_COUNT; lane++)
		apply(lanes, (enum lane)lane);
	pthread_mutex_unlock(&lanes->lock);
}

void lanes_set_prefetch(struct lanes *lanes, enum lane lane, uint16_t prefetch)
{
	pthread_mutex_lock(&lanes->lock);
	lanes->prefetch[lane] = prefetch;
	apply(lanes, lane);
	pthread_mutex_unlock(&lanes->lock);
}

void lanes_set_wait_target(struct lanes *lanes, int64_t realtime_wait_target_ms)
{
	pthread_mutex_lock(&lanes->lock);
	if (yielding_set_target(&lanes->yielding, realtime_wait_target_ms)) {
		note_step(lanes);
		apply(lanes, LANE_BATCH);
	}
	pthread_mutex_unlock(&lanes->lock);
}

void lanes_leave(struct lanes *lanes)
{
	pthread_mutex_lock(&lanes->lock);
	lanes->left = true;
	pthread_mutex_unlock(&lanes->lock);
}

bool lanes_degraded(const struct lanes *lanes)
{
	return atomic_load(&lanes->degraded);
}
