#include "amqp/depths.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/connection.h"
#include "amqp/topology_plan.h"
#include "base/clock.h"

#define CONNECT_TIMEOUT_MS 5000
#define REQUEST_TIMEOUT_MS 2000
#define HEARTBEAT_S 30
#define LOOK_AGAIN_MS 10000

static_assert(TOPOLOGY_MAX_QUEUES <= AMQP_DEPTHS_MOST, "every queue has a row");

struct amqp_depths {
	struct amqp_url url;
	struct connection connection;
	struct topology_plan plan;
	struct amqp_depth rows[TOPOLOGY_MAX_QUEUES];
	int64_t looked_ms[TOPOLOGY_MAX_QUEUES]; /* when it was not there; 0: it was */
};

struct amqp_depths *amqp_depths_new(const struct amqp_url *url, unsigned parts)
{
	struct amqp_depths *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->url = *url;
	topology_plan_fill(&d->plan, parts, &(struct topology_delays){0});
	for (unsigned i = 0; i < d->plan.queue_count; i++)
		memcpy(d->rows[i].queue, d->plan.queues[i].name, sizeof(d->rows[i].queue));
	return d;
}

static int connect_if_needed(struct amqp_depths *d, struct error *err)
{
	const struct connection_settings settings = {
	    .url = &d->url,
	    .name = "facefleet depths",
	    .heartbeat_s = HEARTBEAT_S,
	    .timeout_ms = REQUEST_TIMEOUT_MS,
	};

	if (d->connection.state)
		return 0;
	return connection_open_any(&d->connection, &settings, clock_monotonic_ms() + CONNECT_TIMEOUT_MS, err);
}

/* A queue that is not there costs the channel. */
static int read_row(struct amqp_depths *d, unsigned i, struct error *err)
{
	struct connection_refusal refusal = {0};
	struct amqp_depth *row = &d->rows[i];

	if (d->looked_ms[i] != 0 && clock_monotonic_ms() - d->looked_ms[i] < LOOK_AGAIN_MS)
		return 0;
	const amqp_queue_declare_ok_t *ok = amqp_queue_declare(
	    d->connection.state, CONNECTION_CHANNEL, amqp_cstring_bytes(row->queue), 1, 1, 0, 0, amqp_empty_table);
	amqp_rpc_reply_t reply = amqp_get_rpc_reply(d->connection.state);
	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		connection_read_refusal(&reply.reply, &refusal);
	row->exists = ok && reply.reply_type == AMQP_RESPONSE_NORMAL;
	row->ready = row->exists ? ok->message_count : 0;
	row->consumers = row->exists ? ok->consumer_count : 0;
	d->looked_ms[i] = row->exists ? 0 : clock_monotonic_ms();
	amqp_maybe_release_buffers(d->connection.state);
	if (refusal.code == AMQP_NOT_FOUND)
		return connection_reopen_channel(&d->connection, err);
	return connection_check(reply, row->queue, err);
}

int amqp_depths_read(struct amqp_depths *depths, const struct amqp_depth **out, unsigned *count, struct error *err)
{
	int r = connect_if_needed(depths, err);

	for (unsigned i = 0; r == 0 && i < depths->plan.queue_count; i++)
		r = read_row(depths, i, err);
	if (r < 0) {
		connection_close(&depths->connection, false);
		return r;
	}
	*out = depths->rows;
	*count = depths->plan.queue_count;
	return 0;
}

void amqp_depths_free(struct amqp_depths *depths)
{
	if (!depths)
		return;
	connection_close(&depths->connection, true);
	free(depths);
}
