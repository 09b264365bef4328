#include "cache/redis.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/wakeup.h"
#include "cache/redis_private.h"
#include "obs/breakers.h"
#include "obs/log.h"

enum {
	DEFAULT_TIMEOUT_MS = 5,
	DEFAULT_CONNECTIONS = 4,
	FREE_MS = 2000, /* for a name that is being resolved */
	/* A return is one only when it lasts: a server that answers every other command must not fill the log. */
	RETURN_MS = 5000
};

static const double bounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1};

static void register_metrics(struct redis *r, struct metrics *metrics)
{
	static const char *const names[REDIS_OUTCOMES] = {"ok", "unavailable", "timeout", "error", "garbage"};

	r->up = metrics_gauge(metrics, "facefleet_redis_up", "1 while a connection to Redis is open.", NULL);
	for (unsigned i = 0; i < REDIS_OUTCOMES; i++)
		r->outcomes[i] = metrics_counter(metrics, "facefleet_redis_commands_total",
						 "Commands to Redis, by what became of them.",
						 (const char *const[]){"outcome", names[i], NULL});
	r->seconds = metrics_histogram(metrics, "facefleet_redis_command_seconds",
				       "How long commands to Redis took, whatever became of them.", NULL, bounds,
				       array_size(bounds));
}

static struct redis *allocate(const struct redis_settings *settings)
{
	unsigned count = settings->connections ? settings->connections : DEFAULT_CONNECTIONS;

	if (count > REDIS_MAX_CONNECTIONS)
		count = REDIS_MAX_CONNECTIONS;
	struct redis *r = calloc(1, sizeof(*r) + count * sizeof(r->slots[0]));
	if (!r)
		return NULL;
	r->slot_count = count;
	for (unsigned i = 0; i < count; i++)
		r->slots[i].link.fd = -1;
	r->timeout_ms = settings->timeout_ms ? settings->timeout_ms : DEFAULT_TIMEOUT_MS;
	r->wake_fd = wakeup_open();
	r->stop_fd = wakeup_open();
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->ended_now, &attr);
	pthread_condattr_destroy(&attr);
	return r;
}

void redis_destroy(struct redis *r)
{
	for (unsigned i = 0; i < r->slot_count; i++)
		redis_link_close(&r->slots[i].link);
	if (r->wake_fd >= 0)
		close(r->wake_fd);
	if (r->stop_fd >= 0)
		close(r->stop_fd);
	breakers_free(r->breakers);
	metrics_free(r->own_metrics);
	pthread_cond_destroy(&r->ended_now);
	pthread_mutex_destroy(&r->lock);
	explicit_bzero(&r->url, sizeof(r->url));
	free(r);
}

int redis_new(struct redis **out, const struct redis_settings *settings, struct error *err)
{
	struct redis_url url;
	int result = redis_url_parse(&url, settings->url, err);

	if (result < 0)
		return result;
	struct redis *r = allocate(settings);
	if (!r)
		return error_set(err, ERROR_INTERNAL, "no memory for a Redis client");
	r->url = url;
	explicit_bzero(&url, sizeof(url));
	if (!settings->metrics)
		r->own_metrics = metrics_new();
	if ((!settings->metrics && !r->own_metrics) || r->wake_fd < 0 || r->stop_fd < 0) {
		redis_destroy(r);
		return error_set(err, ERROR_INTERNAL, "no memory or descriptors for a Redis client");
	}
	struct metrics *metrics = settings->metrics ? settings->metrics : r->own_metrics;
	register_metrics(r, metrics);
	r->breakers = breakers_new("redis", &breakers_of_servers, 1, metrics);
	if (!r->breakers) {
		redis_destroy(r);
		return error_set(err, ERROR_INTERNAL, "no memory for a Redis client");
	}
	result = thread_start(&r->keeper, redis_keeper_main, r);
	if (result < 0) {
		redis_destroy(r);
		return error_set(err, ERROR_INTERNAL, "no thread for a Redis client: %s", strerror(-result));
	}
	*out = r;
	return 0;
}

void redis_free(struct redis *r)
{
	if (!r)
		return;
	struct timespec until = clock_timespec_in_ms(FREE_MS);
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	metric_set(r->up, 0);
	wakeup_signal(r->stop_fd);
	while (!r->ended && pthread_cond_timedwait(&r->ended_now, &r->lock, &until) == 0)
		;
	/* Who hangs in the resolver cannot be woken, but can be left behind with everything. */
	bool abandoned = r->abandoned = !r->ended;
	pthread_t keeper = r->keeper;
	pthread_mutex_unlock(&r->lock);
	if (abandoned) {
		pthread_detach(keeper);
		return;
	}
	pthread_join(keeper, NULL);
	redis_destroy(r);
}

/* --- states and notes, with the lock held --- */

static bool any_open(const struct redis *r)
{
	for (unsigned i = 0; i < r->slot_count; i++)
		if (r->slots[i].state == SLOT_IDLE || r->slots[i].state == SLOT_BUSY)
			return true;
	return false;
}

void redis_set_state(struct redis *r, struct redis_slot *slot, int state)
{
	slot->state = state;
	if (state == SLOT_IDLE)
		slot->used_ms = clock_monotonic_ms();
	if (!r->stopping)
		metric_set(r->up, any_open(r) ? 1 : 0);
}

void redis_note_success(struct redis *r)
{
	r->failures = 0;
	if (!r->failing || clock_monotonic_ms() < r->last_failure_ms + RETURN_MS)
		return;
	r->failing = false;
	log_info(NULL, "Redis is back", log_string("host", r->url.host), log_integer("port", r->url.port));
}

void redis_note_failure(struct redis *r, const struct context *ctx, const char *reason)
{
	r->last_failure_ms = clock_monotonic_ms();
	if (r->failing)
		return;
	r->failing = true;
	log_warning(ctx, "Redis fails; going on without it", log_string("host", r->url.host),
		    log_integer("port", r->url.port), log_string("reason", reason));
}

/* --- commands --- */

bool redis_is_up(struct redis *r)
{
	pthread_mutex_lock(&r->lock);
	bool up = any_open(r);
	pthread_mutex_unlock(&r->lock);
	return up;
}

static struct redis_slot *take(struct redis *r)
{
	struct redis_slot *slot = NULL;

	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->slot_count && !slot; i++)
		if (r->slots[i].state == SLOT_IDLE)
			slot = &r->slots[i];
	if (slot)
		slot->state = SLOT_BUSY;
	pthread_mutex_unlock(&r->lock);
	return slot;
}

/* `reason`: what failed, NULL for nothing. */
static void give_back(struct redis *r, const struct context *ctx, struct redis_slot *slot, bool whole,
		      const char *reason)
{
	pthread_mutex_lock(&r->lock);
	redis_set_state(r, slot, whole ? SLOT_IDLE : SLOT_BROKEN);
	if (reason)
		redis_note_failure(r, ctx, reason);
	else
		redis_note_success(r);
	pthread_mutex_unlock(&r->lock);
	if (!whole)
		wakeup_signal(r->wake_fd);
}

/* One that the server has left is given back at once. */
static struct redis_slot *take_living(struct redis *r, const struct context *ctx)
{
	struct redis_slot *slot;

	while ((slot = take(r)) && !redis_link_is_quiet(&slot->link))
		give_back(r, ctx, slot, false, "the server has closed the connection");
	return slot;
}

static enum redis_outcome look_at(const redisReply *reply, redis_reply_fn *fn, void *arg,
				  char word[REDIS_WIRE_WORD_SIZE])
{
	if (reply->type != REDIS_REPLY_ERROR)
		return fn(arg, reply) ? REDIS_OK_OUTCOME : REDIS_GARBAGE;
	redis_wire_error_word(reply, word);
	return REDIS_SERVER_ERROR;
}

/* There is one Redis: so one name. */
#define BREAKER "redis"

/* What a server does for a command; a command in a hurry says nothing about it, nor does one for which all connections
 * were in use. */
static void report(struct redis *r, const struct context *ctx, unsigned ticket, enum redis_outcome outcome,
		   bool in_a_hurry)
{
	if (outcome == REDIS_UNAVAILABLE || (outcome == REDIS_TIMEOUT && in_a_hurry))
		breakers_withdraw(r->breakers, BREAKER, ticket);
	else
		breakers_report(r->breakers, ctx, BREAKER, ticket,
				outcome == REDIS_OK_OUTCOME || outcome == REDIS_SERVER_ERROR);
}

static enum redis_outcome run(struct redis *r, const struct context *ctx, int64_t deadline_ns,
			      const struct redis_argument *arguments, unsigned count, redis_reply_fn *fn, void *arg)
{
	struct redis_slot *slot = take_living(r, ctx);
	char reason[REDIS_WIRE_WORD_SIZE] = "";
	enum redis_outcome outcome;
	redisReply *reply;

	if (!slot)
		return REDIS_UNAVAILABLE;
	int result = redis_link_exchange(&slot->link, arguments, count, deadline_ns, -1, &reply);
	if (result == 0) {
		outcome = look_at(reply, fn, arg, reason);
		freeReplyObject(reply);
	} else {
		outcome = result == -ETIMEDOUT ? REDIS_TIMEOUT : result == -EPROTO ? REDIS_GARBAGE : REDIS_UNAVAILABLE;
	}
	static const char *const reasons[] = {[REDIS_UNAVAILABLE] = "the connection has ended",
					      [REDIS_TIMEOUT] = "no answer in time",
					      [REDIS_GARBAGE] = "an answer that is none"};
	give_back(r, ctx, slot, outcome == REDIS_OK_OUTCOME || outcome == REDIS_SERVER_ERROR,
		  outcome == REDIS_SERVER_ERROR ? reason : reasons[outcome]);
	return outcome;
}

int redis_command(struct redis *r, const struct context *ctx, const struct redis_argument *arguments, unsigned count,
		  redis_reply_fn *fn, void *arg)
{
	static const int results[REDIS_OUTCOMES] = {0, -EAGAIN, -EAGAIN, -EREMOTEIO, -EPROTO};
	int64_t start_ns = clock_monotonic_ns();
	int64_t ms = context_remaining_ms(ctx, r->timeout_ms);

	assert(count >= 1 && count <= REDIS_MAX_ARGUMENTS);
	/* Without time there is no need to break a connection. */
	enum redis_outcome outcome = ms <= 0 ? REDIS_TIMEOUT : REDIS_UNAVAILABLE;
	unsigned ticket = ms > 0 ? breakers_allow(r->breakers, ctx, BREAKER) : 0;
	if (ticket) {
		outcome = run(r, ctx, start_ns + ms * 1000000, arguments, count, fn, arg);
		report(r, ctx, ticket, outcome, ms < r->timeout_ms);
	}
	metric_add(r->outcomes[outcome], 1);
	metric_observe(r->seconds, (double)(clock_monotonic_ns() - start_ns) / 1e9);
	return results[outcome];
}
