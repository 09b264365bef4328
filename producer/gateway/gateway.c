#include "gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "amqp/settings.h"
#include "base/clock.h"
#include "base/stop.h"
#include "gateway_private.h"
#include "obs/breakers.h"
#include "obs/log.h"
#include "pools.h"

/* How often the loop turns when nothing happens: also how exactly `Prefer: wait` ends. */
#define TICK_MS 20
/* Heartbeats missed until a connection counts as dead. */
#define MISSED_HEARTBEATS 3
/* Events and replies on their way to the main thread. */
#define PREFETCH 256
/* What the whole fleet is told. */
#define CONTROL_PREFETCH 32
/* What the broker keeps for a gateway that is slow; older ones are lost to its streams. */
#define MAX_HEARD 10000
/* Tasks remembered from their acceptance on. */
#define MAX_RECENT 20000
/* Replays that wait for the one under way. */
#define MAX_REPLAYS 4

#define HEADER_TIMEOUT_MS 15000
#define IDLE_TIMEOUT_MS 30000

/* --- on the links' threads -------------------------------------------------------------------- */

static void take_delivery(void *arg, struct amqp_delivery *delivery)
{
	struct gateway *gateway = arg;

	/* There is room for the prefetch, twice: what a broken connection had delivered may still be there. */
	if (queue_push(gateway->heard, delivery, 0) != 0) {
		amqp_link_settle(gateway->hearing, delivery->tag, AMQP_ACK);
		amqp_delivery_free(delivery);
	}
}

static void note_missed(void *arg, uint64_t generation)
{
	struct gateway *gateway = arg;

	(void)generation;
	atomic_store(&gateway->missed, true);
}

static void note_lost(void *arg, uint64_t generation)
{
	struct gateway *gateway = arg;

	(void)generation;
	desk_lose(gateway->desk);
}

static void note_fatal(void *arg, const struct error *err)
{
	struct gateway *gateway = arg;

	loop_state_fail(&gateway->loop, err);
}

/* --- making ----------------------------------------------------------------------------------- */

static int make_hearing(struct gateway *gateway, const struct amqp_link_settings *common, struct error *err)
{
	const struct amqp_consumer_settings consumer = {
	    .queue = "facefleet.gateway",
	    .prefetch = PREFETCH,
	    .hears = TOPOLOGY_EVENTS_EXCHANGE,
	    .hears_key = "task.#",
	    .hears_max = MAX_HEARD,
	    .on_delivery = take_delivery,
	    .arg = gateway,
	};
	const struct amqp_consumer_settings control = {
	    .queue = TOPOLOGY_CONTROL_EXCHANGE,
	    .prefetch = CONTROL_PREFETCH,
	    .hears = TOPOLOGY_CONTROL_EXCHANGE,
	    .hears_max = MAX_HEARD,
	    .on_delivery = take_delivery,
	    .arg = gateway,
	};
	struct amqp_link_settings settings = *common;

	settings.name = "facefleet-gateway hearing";
	settings.topology = TOPOLOGY_REPLIES | TOPOLOGY_CONTROL;
	settings.on_lost = note_missed;
	int r = amqp_link_new(&gateway->hearing, &settings, err);
	if (r == 0 && (amqp_link_add_consumer(gateway->hearing, &consumer) < 0 ||
		       amqp_link_add_consumer(gateway->hearing, &control) < 0))
		r = error_set(err, ERROR_INTERNAL, "out of memory");
	return r;
}

static int make_links(struct gateway *gateway, struct error *err)
{
	struct amqp_link_settings settings = {
	    .name = "facefleet-gateway publishing",
	    .topology = TOPOLOGY_JOBS | TOPOLOGY_REPLIES | TOPOLOGY_CONTROL | TOPOLOGY_TRACKER,
	    .publish_backlog = 2 * (size_t)config_integer(gateway->config, OPTION_GATEWAY_MAX_WAITING),
	    .metrics = gateway->metrics,
	    .on_fatal = note_fatal,
	    .on_lost = note_lost,
	    .arg = gateway,
	};
	int r = amqp_settings_from_config(&gateway->broker, &settings, gateway->config, err);

	if (r == 0)
		r = amqp_link_new(&gateway->publishing, &settings, err);
	return r == 0 ? make_hearing(gateway, &settings, err) : r;
}

static int make_desk(struct gateway *gateway)
{
	const struct desk_settings settings = {
	    .link = gateway->publishing,
	    .recent = gateway->recent,
	    .max = (unsigned)config_integer(gateway->config, OPTION_GATEWAY_MAX_WAITING),
	    .max_bytes = (size_t)config_integer(gateway->config, OPTION_GATEWAY_MAX_BODIES),
	    .confirm_timeout_ms = config_integer(gateway->config, OPTION_GATEWAY_CONFIRM_TIMEOUT),
	    .on_ticket = ticket_end_later,
	    .arg = gateway,
	    .metrics = gateway->metrics,
	};

	gateway->desk = desk_new(&settings);
	return gateway->desk ? 0 : -ENOMEM;
}

/* Takes over the settings that may change while it runs. */
static void adopt(struct gateway *gateway, const struct config *config)
{
	atomic_store(&gateway->rate, config_number(config, OPTION_GATEWAY_RATE));
	atomic_store(&gateway->burst, config_number(config, OPTION_GATEWAY_BURST));
	atomic_store(&gateway->max_wait_ms, 1000 * config_integer(config, OPTION_GATEWAY_MAX_WAIT));
	atomic_store(&gateway->max_schedules, config_integer(config, OPTION_GATEWAY_MAX_SCHEDULES));
	gateway->drain_timeout_ms = config_integer(config, OPTION_GATEWAY_DRAIN_TIMEOUT);
	if (gateway->overload)
		overload_set_max_queue_depth(gateway->overload, config_integer(config, OPTION_GATEWAY_MAX_QUEUE_DEPTH));
	if (gateway->synchronous)
		synchronous_adopt(gateway->synchronous, config);
}

static int make_overload(struct gateway *gateway)
{
	const struct overload_settings settings = {
	    .url = &gateway->broker,
	    .max_queue_depth = config_integer(gateway->config, OPTION_GATEWAY_MAX_QUEUE_DEPTH),
	    .metrics = gateway->metrics,
	};

	gateway->overload = overload_new(&settings);
	return gateway->overload ? 0 : -ENOMEM;
}

static int make(struct gateway *gateway, struct error *err)
{
	const struct config *config = gateway->config;
	int r = 0;

	adopt(gateway, config);
	gateway->silence_ms = MISSED_HEARTBEATS * 1000 * config_integer(config, OPTION_AMQP_HEARTBEAT);
	gateway->has_store = config_string(config, OPTION_STORE_URL)[0] != '\0';
	if (gateway->has_store)
		r = store_settings_from_config(&gateway->store, config, err);
	gateway->store.breakers = gateway->breakers = breakers_new("store", &breakers_of_servers, 1, gateway->metrics);
	if (r == 0 && !gateway->breakers)
		r = error_set(err, ERROR_INTERNAL, "out of memory");
	if (r == 0)
		r = admission_init(gateway, err);
	if (r == 0 && strcmp(config_string(config, OPTION_GATEWAY_MODE), "synchronous") == 0)
		r = synchronous_new(&gateway->synchronous, config, err);
	if (r != 0)
		return r;
	gateway->recent = recent_new(MAX_RECENT);
	gateway->hub = hub_new((unsigned)config_integer(config, OPTION_GATEWAY_MAX_STREAMS), gateway->metrics);
	gateway->heard = queue_new(2 * (PREFETCH + CONTROL_PREFETCH));
	gateway->intake = queue_new(POOLS_MAX_VISITS);
	/* Room apart for what the desk has to say, which nobody may refuse. */
	gateway->reading = queue_new(POOLS_MAX_VISITS + (size_t)config_integer(config, OPTION_GATEWAY_MAX_WAITING));
	gateway->replays = queue_new(MAX_REPLAYS);
	if (!gateway->recent || !gateway->hub || !gateway->heard || !gateway->intake || !gateway->reading ||
	    !gateway->replays)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	if (!gateway->synchronous)
		r = make_links(gateway, err);
	if (r == 0 && (make_desk(gateway) != 0 || make_overload(gateway) != 0 || pools_start(gateway) != 0 ||
		       replays_start(gateway) != 0))
		r = error_set(err, ERROR_INTERNAL, "out of memory or threads");
	return r;
}

int gateway_new(struct gateway **out, const struct config *config, struct metrics *metrics, struct error *err)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));

	if (!gateway)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	gateway->config = config;
	gateway->metrics = metrics;
	loop_state_init(&gateway->loop);
	int r = make(gateway, err);
	if (r != 0) {
		gateway_free(gateway);
		return r;
	}
	*out = gateway;
	return 0;
}

static void drop_heard(struct gateway *gateway)
{
	struct amqp_delivery *delivery;

	while (gateway->heard && (delivery = queue_pop(gateway->heard, 0)))
		amqp_delivery_free(delivery);
}

void gateway_free(struct gateway *gateway)
{
	if (!gateway)
		return;
	/* Each of these ends threads that use what follows. What a link abandons may still answer its calls. */
	pools_stop(gateway);
	replays_stop(gateway);
	hub_free(gateway->hub);
	http_service_stop(gateway->service);
	amqp_link_free(gateway->hearing);
	amqp_link_free(gateway->publishing);
	overload_free(gateway->overload);
	desk_free(gateway->desk);
	recent_free(gateway->recent);
	drop_heard(gateway);
	admission_finish(gateway);
	synchronous_free(gateway->synchronous);
	queue_free(gateway->heard);
	queue_free(gateway->intake);
	queue_free(gateway->reading);
	breakers_free(gateway->breakers);
	queue_free(gateway->replays);
	free(gateway);
}

/* --- running ---------------------------------------------------------------------------------- */

static int listen_on(struct gateway *gateway, struct error *err)
{
	const struct config *config = gateway->config;
	const struct http_service_settings settings = {
	    .listen = config_string(config, OPTION_GATEWAY_LISTEN),
	    .routes = routes_table,
	    .route_count = routes_count,
	    .arg = gateway,
	    .admit = routes_glance,
	    .max_body = (size_t)config_integer(config, OPTION_GATEWAY_MAX_BODY),
	    .max_bodies = (size_t)config_integer(config, OPTION_GATEWAY_MAX_BODIES),
	    .max_connections = (unsigned)config_integer(config, OPTION_GATEWAY_MAX_CONNECTIONS),
	    .header_timeout_ms = HEADER_TIMEOUT_MS,
	    .body_timeout_ms = config_integer(config, OPTION_GATEWAY_BODY_TIMEOUT),
	    .idle_timeout_ms = IDLE_TIMEOUT_MS,
	    .cert_file = config_string(config, OPTION_GATEWAY_CERT_FILE),
	    .key_file = config_string(config, OPTION_GATEWAY_KEY_FILE),
	    .metrics = gateway->metrics,
	};

	return http_service_start(&gateway->service, &settings, err);
}

int gateway_start(struct gateway *gateway, struct error *err)
{
	int r = 0;

	if (!gateway->synchronous) {
		r = amqp_link_start(gateway->publishing, err);
		if (r == 0)
			r = amqp_link_start(gateway->hearing, err);
		if (r == 0 && overload_start(gateway->overload) != 0)
			r = error_set(err, ERROR_INTERNAL, "cannot start a thread");
	}
	return r == 0 ? listen_on(gateway, err) : r;
}

/* One turn of the loop. */
static void turn(struct gateway *gateway)
{
	struct amqp_delivery *delivery = queue_pop(gateway->heard, TICK_MS);

	/* In bunches: looking at the clock and at who waits is for all of them. */
	for (int i = 0; delivery && i < PREFETCH; i++) {
		feed_handle(gateway, delivery);
		amqp_link_settle(gateway->hearing, delivery->tag, AMQP_ACK);
		amqp_delivery_free(delivery);
		delivery = i + 1 < PREFETCH ? queue_pop(gateway->heard, 0) : NULL;
	}
	if (atomic_exchange(&gateway->missed, false))
		hub_end_all(gateway->hub);
	int64_t now_ms = clock_monotonic_ms();
	desk_tick(gateway->desk, now_ms);
	hub_tick(gateway->hub, now_ms);
	loop_state_turned(&gateway->loop, now_ms);
}

/* Lets the requests in hand finish; those that wait for a result are told where to find it. */
static void drain(struct gateway *gateway)
{
	int64_t until_ms = clock_monotonic_ms() + gateway->drain_timeout_ms;

	log_info(NULL, "stopping: finishing the requests in hand");
	atomic_store(&gateway->loop.stopping, true);
	http_service_close(gateway->service);
	hub_end_all(gateway->hub);
	bool idle = false;
	while (!idle && clock_monotonic_ms() < until_ms && stop_requested() <= 1) {
		desk_hurry(gateway->desk);
		turn(gateway);
		idle = http_service_drain(gateway->service, 0) == 0;
	}
	atomic_store(&gateway->out_of_time, !idle);
	log_info(NULL, "stopped", log_boolean("idle", idle));
}

int gateway_run(struct gateway *gateway, struct reload *reload, struct error *err)
{
	while (stop_requested() == 0 && !loop_state_has_failed(&gateway->loop)) {
		const struct config *news = reload_poll(reload);

		if (news)
			adopt(gateway, news);
		turn(gateway);
	}
	drain(gateway);
	return loop_state_fault(&gateway->loop, err);
}
