#include "dead.h"

#include <stdlib.h>
#include <string.h>

#include "amqp/link_health.h"
#include "base/pool.h"
#include "obs/log.h"

/* Dead jobs are rare and each is up to 12 MiB: a few at a time. */
#define DEAD_PREFETCH 4
/* After a reconnect those of the lost connection can still wait beside the new ones. */
#define MAX_WAITING (4 * DEAD_PREFETCH)
/* Taken so often and never answered, what is in it may be what its readers die of. */
#define UNREAD_FROM 5
#define DRAIN_TIMEOUT_MS 2000

struct dead {
	struct dead_settings settings;
	struct amqp_link *link;
	struct queue *queue;
	struct pool *pool; /* of one thread, which may wait for the store */
};

static enum lane lane_of_death(const struct envelope *envelope)
{
	return strcmp(envelope->death_queue, topology_lane_queue(LANE_REALTIME)) == 0 ? LANE_REALTIME : LANE_BATCH;
}

/* Says in `err` why it ends. */
static void look(struct dead *dead, struct task *task, struct error *err)
{
	const struct envelope *envelope = &task->delivery->envelope;
	const char *reason = envelope->death_reason[0] ? envelope->death_reason : "reason unknown";

	if (envelope->delivery_count >= UNREAD_FROM) {
		task_skip(task, dead->settings.worker);
		error_set(err, ERROR_POISON, "given up by the broker (%s); it was not read: workers may die of that",
			  reason);
	} else if (task_decode(task, dead->settings.worker, err) == 0) {
		error_set(err, ERROR_POISON, "given up by the broker (%s) after it was delivered again and again",
			  reason);
	}
}

static void answer(void *arg, void *state, void *item)
{
	struct dead *dead = arg;
	struct task *task = item;
	struct reply recorded;
	struct error err = {0};

	(void)state;
	look(dead, task, &err);
	/* Its worker died, or lost the broker, before it could settle it. */
	if (dead->settings.records && records_find(dead->settings.records, task->ctx.task_id, &recorded)) {
		outbox_reply_again(dead->settings.outbox, task, &recorded);
		return;
	}
	task->reply.error = err;
	task->reply.state = TASK_FINAL_FAILED;
	outbox_reply_and_park(dead->settings.outbox, task, err.text);
}

static const struct pool_ops answering = {.run = answer};

static void on_delivery(void *arg, struct amqp_delivery *delivery)
{
	struct dead *dead = arg;
	struct task *task = task_new(delivery, dead->link, lane_of_death(&delivery->envelope));

	if (!task) {
		amqp_link_settle(dead->link, delivery->tag, AMQP_REQUEUE);
		amqp_delivery_free(delivery);
		return;
	}
	roster_add(dead->settings.roster, task);
	/* Full is not to be expected, by prefetch and slack; closed means the worker is stopping. */
	if (queue_push(dead->queue, task, 0) < 0) {
		amqp_link_settle(dead->link, delivery->tag, AMQP_REQUEUE);
		roster_remove(dead->settings.roster, task);
	}
}

static int start_thread(struct dead *dead, struct error *err)
{
	dead->queue = queue_new(MAX_WAITING);
	if (!dead->queue || pool_start(&dead->pool, "dead", 1, dead->queue, &answering, dead) < 0)
		return error_set(err, ERROR_INTERNAL, "no thread for dead jobs");
	return 0;
}

int dead_start(struct dead **out, const struct dead_settings *settings, struct error *err)
{
	struct dead *dead = calloc(1, sizeof(*dead));

	if (!dead)
		return error_set(err, ERROR_INTERNAL, "no memory for the reporter of dead jobs");
	dead->settings = *settings;
	dead->settings.link.name = "facefleet-worker dead";
	dead->settings.link.topology = TOPOLOGY_JOBS;
	const struct amqp_consumer_settings consumer = {
	    .queue = TOPOLOGY_DEAD_JOBS_QUEUE, .prefetch = DEAD_PREFETCH, .on_delivery = on_delivery, .arg = dead};

	int r = amqp_link_new(&dead->link, &dead->settings.link, err);
	if (r == 0 && amqp_link_add_consumer(dead->link, &consumer) < 0)
		r = error_set(err, ERROR_INTERNAL, "no memory for a consumer");
	if (r == 0)
		r = start_thread(dead, err);
	if (r == 0)
		r = amqp_link_start(dead->link, err);
	if (r < 0) {
		dead_free(dead);
		return r;
	}
	*out = dead;
	return 0;
}

void dead_drain(struct dead *dead)
{
	if (amqp_link_drain(dead->link, DRAIN_TIMEOUT_MS) < 0)
		log_warning(NULL, "broker did not confirm the end of consuming",
			    log_string("queue", TOPOLOGY_DEAD_JOBS_QUEUE));
}

bool dead_is_alive(struct dead *dead, int64_t silence_ms, char *why, size_t why_size)
{
	return amqp_link_is_alive(dead->link, "dead jobs", silence_ms, why, why_size);
}

void dead_free(struct dead *dead)
{
	if (!dead)
		return;
	/* The thread still settles on the link. */
	amqp_link_stop(dead->link);
	pool_stop(dead->pool);
	amqp_link_free(dead->link);
	queue_free(dead->queue);
	free(dead);
}
