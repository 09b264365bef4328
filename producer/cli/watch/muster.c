#include "cli/watch/muster.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/control_message.h"
#include "amqp/settings.h"
#include "amqp/topology.h"
#include "base/clock.h"

#define PREFETCH 200
/* Of messages that wait to be heard: a fleet that talks faster than this reads is heard from again soon. */
#define MOST_WAITING 10000

struct muster {
	struct amqp_link *link;
	pthread_mutex_t lock;
	struct muster_member *members; /* age_ms is when they were heard */
	size_t count;
	size_t capacity;
};

static bool is_same(const struct heartbeat *a, const struct heartbeat *b)
{
	return a->pid == b->pid && strcmp(a->worker, b->worker) == 0 && strcmp(a->host, b->host) == 0;
}

/* The place of a worker, a new one if it was not heard before; NULL when there is none. With the lock held. */
static struct muster_member *place_of(struct muster *m, const struct heartbeat *beat)
{
	for (size_t i = 0; i < m->count; i++)
		if (is_same(&m->members[i].beat, beat))
			return &m->members[i];
	if (m->count == m->capacity) {
		size_t capacity = m->capacity ? 2 * m->capacity : 16;
		struct muster_member *members = NULL;

		if (capacity <= MUSTER_MOST)
			members = realloc(m->members, capacity * sizeof(*members));
		if (!members)
			return NULL;
		m->members = members;
		m->capacity = capacity;
	}
	return &m->members[m->count++];
}

static void on_delivery(void *arg, struct amqp_delivery *delivery)
{
	struct muster *m = arg;
	struct control control = {0};

	if (strcmp(delivery->envelope.type, ENVELOPE_TYPE_CONTROL) == 0 &&
	    control_decode(&control, delivery->body, delivery->body_size, NULL) == 0 &&
	    control.kind == CONTROL_HEARTBEAT) {
		pthread_mutex_lock(&m->lock);
		struct muster_member *member = place_of(m, &control.heartbeat);
		if (member)
			*member = (struct muster_member){.beat = control.heartbeat, .age_ms = clock_monotonic_ms()};
		pthread_mutex_unlock(&m->lock);
	}
	amqp_link_settle(m->link, delivery->tag, AMQP_ACK);
	amqp_delivery_free(delivery);
}

static int open_link(struct muster *m, const struct config *config, struct error *err)
{
	const struct amqp_link_settings settings = {.name = "facefleet muster", .topology = TOPOLOGY_CONTROL};
	const struct amqp_consumer_settings consumer = {
	    .queue = "facefleet.cli.control",
	    .prefetch = PREFETCH,
	    .hears = TOPOLOGY_CONTROL_EXCHANGE,
	    .hears_max = MOST_WAITING,
	    .on_delivery = on_delivery,
	    .arg = m,
	};
	int r = amqp_link_new_from_config(&m->link, &settings, config, err);

	if (r < 0)
		return r;
	if (amqp_link_add_consumer(m->link, &consumer) < 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	return amqp_link_start(m->link, err);
}

int muster_open(struct muster **out, const struct config *config, int64_t timeout_ms, struct error *err)
{
	struct muster *m = calloc(1, sizeof(*m));

	if (!m)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	pthread_mutex_init(&m->lock, NULL);
	int r = open_link(m, config, err);
	if (r == 0)
		r = amqp_link_wait_ready(m->link, timeout_ms, err);
	if (r < 0) {
		muster_free(m);
		return r;
	}
	*out = m;
	return 0;
}

int muster_call(struct muster *muster)
{
	const struct control call = {.kind = CONTROL_ROLL_CALL};
	struct amqp_link_status status;

	/* While the broker is away calls would pile up, until there is no room or all are heard at once. */
	amqp_link_status(muster->link, &status);
	if (status.unconfirmed > 0)
		return 0;
	struct amqp_message *message = control_message_new(&call);
	return message ? amqp_link_publish(muster->link, message, NULL, NULL) : -ENOMEM;
}

static int compare(const void *left, const void *right)
{
	const struct heartbeat *a = &((const struct muster_member *)left)->beat;
	const struct heartbeat *b = &((const struct muster_member *)right)->beat;
	int order = strcmp(a->host, b->host);

	if (order == 0)
		order = strcmp(a->worker, b->worker);
	return order ? order : (a->pid > b->pid) - (a->pid < b->pid);
}

/* With the lock held. */
static void forget_before(struct muster *m, int64_t ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++)
		if (m->members[i].age_ms >= ms)
			m->members[kept++] = m->members[i];
	m->count = kept;
}

int muster_list(struct muster *muster, int64_t within_ms, struct muster_member **out, size_t *count)
{
	int64_t now = clock_monotonic_ms();

	pthread_mutex_lock(&muster->lock);
	forget_before(muster, now - within_ms);
	struct muster_member *members = calloc(muster->count + 1, sizeof(*members));
	if (members) {
		*count = muster->count;
		if (muster->count > 0)
			memcpy(members, muster->members, muster->count * sizeof(*members));
	}
	pthread_mutex_unlock(&muster->lock);
	if (!members)
		return -ENOMEM;
	for (size_t i = 0; i < *count; i++)
		members[i].age_ms = now > members[i].age_ms ? now - members[i].age_ms : 0;
	qsort(members, *count, sizeof(*members), compare);
	*out = members;
	return 0;
}

void muster_free(struct muster *muster)
{
	if (!muster)
		return;
	amqp_link_free(muster->link);
	pthread_mutex_destroy(&muster->lock);
	free(muster->members);
	free(muster);
}
