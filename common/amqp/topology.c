#include "amqp/topology_plan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PARKED_MS (INT64_C(7) * 24 * 60 * 60 * 1000)
#define LANE_DELIVERY_LIMIT 20
/* Where a redelivery is nobody's fault, say so in a number: 4.x takes 20 for "not said". */
#define UNLIMITED_DELIVERIES 1000000

#define LANE_QUEUE_REALTIME "facefleet.jobs.realtime"
#define LANE_QUEUE_BATCH "facefleet.jobs.batch"

/* What makes one queue unlike another; all are quorum queues. */
struct queue_row {
	unsigned parts;
	const char *name;
	int64_t delivery_limit;    /**< 0: not said */
	int64_t ttl_ms;            /**< 0: for ever */
	const char *dead_exchange; /**< NULL: what dies here is gone */
	const char *dead_key;
};

static const struct topology_exchange exchanges[] = {
    {TOPOLOGY_JOBS, TOPOLOGY_JOBS_EXCHANGE, "direct"},
    {TOPOLOGY_REPLIES | TOPOLOGY_CALLBACKS | TOPOLOGY_TRACKER, TOPOLOGY_REPLIES_EXCHANGE, "topic"},
    {TOPOLOGY_REPLIES | TOPOLOGY_CALLBACKS | TOPOLOGY_TRACKER, TOPOLOGY_EVENTS_EXCHANGE, "topic"},
    {TOPOLOGY_JOBS | TOPOLOGY_CALLBACKS | TOPOLOGY_TRACKER, TOPOLOGY_DEAD_EXCHANGE, "direct"},
    {TOPOLOGY_CONTROL, TOPOLOGY_CONTROL_EXCHANGE, "fanout"},
};

static const struct queue_row queues[] = {
    {TOPOLOGY_JOBS, LANE_QUEUE_REALTIME, LANE_DELIVERY_LIMIT, 0, TOPOLOGY_DEAD_EXCHANGE, TOPOLOGY_DEAD_JOBS_KEY},
    {TOPOLOGY_JOBS, LANE_QUEUE_BATCH, LANE_DELIVERY_LIMIT, 0, TOPOLOGY_DEAD_EXCHANGE, TOPOLOGY_DEAD_JOBS_KEY},
    {TOPOLOGY_JOBS, TOPOLOGY_DEAD_JOBS_QUEUE, UNLIMITED_DELIVERIES, 0, NULL, NULL},
    {TOPOLOGY_JOBS | TOPOLOGY_CALLBACKS | TOPOLOGY_TRACKER, TOPOLOGY_DEAD_PARKED_QUEUE, UNLIMITED_DELIVERIES, PARKED_MS,
     NULL, NULL},
    {TOPOLOGY_CALLBACKS, TOPOLOGY_CALLBACKS_QUEUE, UNLIMITED_DELIVERIES, 0, NULL, NULL},
    {TOPOLOGY_TRACKER, TOPOLOGY_TRACKER_QUEUE, UNLIMITED_DELIVERIES, 0, NULL, NULL},
};

static const struct topology_binding bindings[] = {
    {TOPOLOGY_REPLIES | TOPOLOGY_TRACKER, TOPOLOGY_REPLIES_EXCHANGE, "#", TOPOLOGY_EVENTS_EXCHANGE, true},
    {TOPOLOGY_JOBS, TOPOLOGY_JOBS_EXCHANGE, "realtime", LANE_QUEUE_REALTIME, false},
    {TOPOLOGY_JOBS, TOPOLOGY_JOBS_EXCHANGE, "batch", LANE_QUEUE_BATCH, false},
    {TOPOLOGY_JOBS, TOPOLOGY_DEAD_EXCHANGE, TOPOLOGY_DEAD_JOBS_KEY, TOPOLOGY_DEAD_JOBS_QUEUE, false},
    {TOPOLOGY_JOBS | TOPOLOGY_CALLBACKS | TOPOLOGY_TRACKER, TOPOLOGY_DEAD_EXCHANGE, TOPOLOGY_DEAD_PARKED_KEY,
     TOPOLOGY_DEAD_PARKED_QUEUE, false},
    {TOPOLOGY_CALLBACKS, TOPOLOGY_REPLIES_EXCHANGE, "task.*.*.callback", TOPOLOGY_CALLBACKS_QUEUE, false},
    {TOPOLOGY_TRACKER, TOPOLOGY_EVENTS_EXCHANGE, "task.#", TOPOLOGY_TRACKER_QUEUE, false},
    {TOPOLOGY_TRACKER, TOPOLOGY_EVENTS_EXCHANGE, "delivery.#", TOPOLOGY_TRACKER_QUEUE, false},
};

static const struct {
	unsigned part;
	const char *name;
	const char *queue; /**< the one that messages go back to */
} targets[] = {
    [TOPOLOGY_RETRY_REALTIME] = {TOPOLOGY_JOB_RETRIES, "realtime", LANE_QUEUE_REALTIME},
    [TOPOLOGY_RETRY_BATCH] = {TOPOLOGY_JOB_RETRIES, "batch", LANE_QUEUE_BATCH},
    [TOPOLOGY_RETRY_CALLBACKS] = {TOPOLOGY_CALLBACK_RETRIES, "callbacks", TOPOLOGY_CALLBACKS_QUEUE},
};

/* The schedule that Standard Webhooks suggests. */
static const int64_t callback_delays[] = {5000, 300000, 1800000, 7200000, 18000000, 36000000, 0};

const char *topology_lane_queue(enum lane lane)
{
	return lane == LANE_REALTIME ? LANE_QUEUE_REALTIME : LANE_QUEUE_BATCH;
}

void topology_retry_queue(enum topology_retry_target target, int64_t delay_ms, char out[ENVELOPE_SHORT_SIZE])
{
	snprintf(out, ENVELOPE_SHORT_SIZE, "facefleet.retry.%s.%lld", targets[target].name, (long long)delay_ms);
}

unsigned topology_argument_count(const struct topology_queue *queue)
{
	unsigned count = 0;

	while (count < TOPOLOGY_MAX_ARGUMENTS && queue->arguments[count].key)
		count++;
	return count;
}

static void add_queue(struct topology_plan *plan, const struct queue_row *row)
{
	assert(plan->queue_count < TOPOLOGY_MAX_QUEUES);
	struct topology_queue *queue = &plan->queues[plan->queue_count++];
	struct topology_argument *next = queue->arguments;

	snprintf(queue->name, sizeof(queue->name), "%s", row->name);
	*next++ = (struct topology_argument){.key = "x-queue-type", .text = "quorum"};
	if (row->delivery_limit)
		*next++ = (struct topology_argument){.key = "x-delivery-limit", .number = row->delivery_limit};
	if (row->ttl_ms)
		*next++ = (struct topology_argument){.key = "x-message-ttl", .number = row->ttl_ms};
	if (row->dead_exchange) {
		/* at-least-once wants reject-publish: the default, drop-head, could drop what it must keep. */
		*next++ = (struct topology_argument){.key = "x-overflow", .text = "reject-publish"};
		*next++ = (struct topology_argument){.key = "x-dead-letter-strategy", .text = "at-least-once"};
		*next++ = (struct topology_argument){.key = "x-dead-letter-exchange", .text = row->dead_exchange};
		*next++ = (struct topology_argument){.key = "x-dead-letter-routing-key", .text = row->dead_key};
	}
}

static void add_retry_queues(struct topology_plan *plan, enum topology_retry_target target, const int64_t *delays)
{
	for (unsigned i = 0; i < TOPOLOGY_MAX_DELAYS && delays[i] != 0; i++) {
		char name[ENVELOPE_SHORT_SIZE];
		topology_retry_queue(target, delays[i], name);
		add_queue(plan, &(struct queue_row){
				    .name = name,
				    .ttl_ms = delays[i],
				    .dead_exchange = "",
				    .dead_key = targets[target].queue,
				});
	}
}

void topology_plan_fill(struct topology_plan *plan, unsigned parts, const struct topology_delays *delays)
{
	memset(plan, 0, sizeof(*plan));
	for (size_t i = 0; i < array_size(exchanges); i++)
		if (exchanges[i].parts & parts)
			plan->exchanges[plan->exchange_count++] = exchanges[i];
	for (size_t i = 0; i < array_size(queues); i++)
		if (queues[i].parts & parts)
			add_queue(plan, &queues[i]);
	for (size_t i = 0; i < array_size(bindings); i++)
		if (bindings[i].parts & parts)
			plan->bindings[plan->binding_count++] = bindings[i];
	for (unsigned target = 0; target < array_size(targets); target++) {
		bool callbacks = target == TOPOLOGY_RETRY_CALLBACKS;
		const int64_t *given = callbacks ? delays->callbacks : delays->jobs;
		if (targets[target].part & parts)
			add_retry_queues(plan, target, given ? given : callbacks ? callback_delays : scene_backoffs);
	}
}
