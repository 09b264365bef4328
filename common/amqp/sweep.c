#include "amqp/sweep.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include "amqp/connection.h"
#include "amqp/frames.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/stop.h"

#define TIMEOUT_MS 10000
#define HEARTBEAT_S 30
#define GIVE_BACK_AT_ONCE 16
#define GIVE_BACK_MS 1000

struct sweep {
	const struct context *ctx;
	struct connection connection;
	struct frames frames;
	amqp_sweep_fn *fn;
	void *arg;
	struct amqp_sweep_counts *counts;
	struct error *err;
	struct buffer kept; /* the tags of what is to be given back */
	bool got;           /* the message that was asked for, or that there is none */
	bool empty;         /* there is none */
	bool hasty;         /* somebody takes what is given back: no use waiting for it */
};

static int acknowledge(struct sweep *s, uint64_t delivery)
{
	int status = amqp_basic_ack(s->connection.state, CONNECTION_CHANNEL, delivery, 0);

	s->counts->removed++;
	return connection_check_status(status, "acknowledge", s->err);
}

static int keep(struct sweep *s, uint64_t delivery)
{
	int r = buffer_append(&s->kept, &delivery, sizeof(delivery));

	return r < 0 ? error_set(s->err, ERROR_CONNECTION, "out of memory") : 0;
}

static int on_delivery(void *arg, struct amqp_delivery *delivery)
{
	struct sweep *s = arg;

	s->got = true;
	s->counts->seen++;
	int r = s->fn(s->arg, delivery) ? acknowledge(s, delivery->tag.delivery) : keep(s, delivery->tag.delivery);
	amqp_delivery_free(delivery);
	return r;
}

static void on_return(void *arg, const struct amqp_delivery *returned)
{
	(void)arg;
	(void)returned; /* nothing is published here */
}

static int on_method(void *arg, const amqp_method_t *method)
{
	struct sweep *s = arg;
	struct connection_refusal refusal;

	if (method->id == AMQP_BASIC_GET_EMPTY_METHOD) {
		s->got = true;
		s->empty = true;
		return 0;
	}
	connection_read_refusal(method, &refusal);
	if (refusal.code)
		return error_set(s->err, ERROR_CONNECTION, "%d %s", refusal.code, refusal.text);
	return 0;
}

static const struct frames_ops ops = {.on_delivery = on_delivery, .on_return = on_return, .on_method = on_method};

static int read_frame(struct sweep *s)
{
	struct timeval timeout = {.tv_sec = TIMEOUT_MS / 1000};
	amqp_frame_t frame;
	int status = amqp_simple_wait_frame_noblock(s->connection.state, &frame, &timeout);
	int r = connection_check_status(status, "read", s->err);

	if (r < 0)
		return r;
	r = frames_handle(&s->frames, &frame);
	if (r < 0 && !error_is_set(s->err))
		error_set(s->err, ERROR_CONNECTION, "read: %s", strerror(-r));
	return r;
}

/* Asks for one message, or that there is none. */
static int get(struct sweep *s, const char *queue)
{
	amqp_basic_get_t method = {.queue = amqp_cstring_bytes(queue)};
	int status = amqp_send_method(s->connection.state, CONNECTION_CHANNEL, AMQP_BASIC_GET_METHOD, &method);
	int r = connection_check_status(status, "get", s->err);

	s->got = false;
	while (r == 0 && !s->got)
		r = read_frame(s);
	amqp_maybe_release_buffers(s->connection.state);
	return r;
}

/* Counts what is ready in the queue: 1, or 0 when it is not there. What was settled before has arrived when this
 * returns. */
static int count_ready(struct sweep *s, const char *queue, uint32_t *count)
{
	struct connection_refusal refusal = {0};
	const amqp_queue_declare_ok_t *ok = amqp_queue_declare(s->connection.state, CONNECTION_CHANNEL,
							       amqp_cstring_bytes(queue), 1, 1, 0, 0, amqp_empty_table);
	amqp_rpc_reply_t reply = amqp_get_rpc_reply(s->connection.state);

	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		connection_read_refusal(&reply.reply, &refusal);
	if (refusal.code == AMQP_NOT_FOUND)
		return 0;
	int r = connection_check(reply, queue, s->err);
	if (r < 0)
		return r;
	*count = ok->message_count;
	return 1;
}

/* Until so many are back in the queue; not for long: somebody else may take them. */
static int wait_for_ready(struct sweep *s, const char *queue, size_t count)
{
	int64_t until = clock_monotonic_ms() + GIVE_BACK_MS;
	uint32_t ready = 0;
	int r = 1;

	while (r == 1 && ready < count && !s->hasty) {
		r = count_ready(s, queue, &ready);
		s->hasty = clock_monotonic_ms() > until;
	}
	return r < 0 ? r : 0;
}

/*
 * One after the other, oldest first: the broker puts each behind those that came back before, and before what never
 * left. A quorum queue's client inside the broker keeps that order for 32 at most that the queue has not carried out
 * yet, so not more than that are on their way.
 */
static int give_back(struct sweep *s, const char *queue)
{
	size_t count = s->kept.size / sizeof(uint64_t);
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		uint64_t delivery;
		memcpy(&delivery, s->kept.data + i * sizeof(delivery), sizeof(delivery));
		r = connection_check_status(amqp_basic_nack(s->connection.state, CONNECTION_CHANNEL, delivery, 0, 1),
					    "give back", s->err);
		if (r == 0 && ((i + 1) % GIVE_BACK_AT_ONCE == 0 || i + 1 == count))
			r = wait_for_ready(s, queue, i + 1);
	}
	return r;
}

static bool is_wanted(const struct sweep *s)
{
	return !stop_requested() && context_check(s->ctx, "sweep", NULL) == 0;
}

static int sweep_queue(struct sweep *s, const char *queue)
{
	uint32_t ready;
	int r = count_ready(s, queue, &ready);

	if (r <= 0)
		return r;
	while ((r = get(s, queue)) == 0 && !s->empty && is_wanted(s))
		;
	if (r == 0)
		r = give_back(s, queue);
	if (r == 0)
		r = count_ready(s, queue, &ready);
	if (r < 0 || s->empty)
		return r < 0 ? r : 0;
	r = context_check(s->ctx, "sweep", s->err);
	return r < 0 ? r : error_set(s->err, ERROR_CONNECTION, "interrupted");
}

int amqp_sweep(const struct context *ctx, const struct amqp_url *url, const char *queue, amqp_sweep_fn *fn, void *arg,
	       struct amqp_sweep_counts *counts, struct error *err)
{
	const struct connection_settings settings = {
	    .url = url, .name = "facefleet sweep", .heartbeat_s = HEARTBEAT_S, .timeout_ms = TIMEOUT_MS};
	struct error fault = {0};
	struct sweep s = {.ctx = ctx, .fn = fn, .arg = arg, .counts = counts, .err = &fault};

	*counts = (struct amqp_sweep_counts){0};
	frames_init(&s.frames, &ops, &s, 0);
	int r = connection_open_any(&s.connection, &settings, clock_monotonic_ms() + TIMEOUT_MS, &fault);
	if (r == 0)
		r = sweep_queue(&s, queue);
	connection_close(&s.connection, r == 0);
	frames_finish(&s.frames);
	buffer_finish(&s.kept);
	if (r < 0 && err)
		*err = fault;
	return r;
}
