#include "service.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "amqp/link.h"
#include "amqp/link_health.h"
#include "amqp/settings.h"
#include "base/clock.h"
#include "base/loop_state.h"
#include "base/stop.h"
#include "courier.h"
#include "http/address.h"
#include "http/client.h"
#include "obs/breakers.h"
#include "obs/log.h"
#include "retry_plan.h"
#include "version.h"

/* How often the loop turns when nothing happens. */
#define TICK_MS 100

/* Time without a turn after which the loop counts as stuck. */
#define STUCK_MS 30000
/* Heartbeats missed until a connection counts as dead. */
#define MISSED_HEARTBEATS 3

/* Endpoints whose failures are remembered. */
#define MAX_ENDPOINTS 10000

/* How long the end may take beside the time limit of one attempt. */
#define CANCEL_TIMEOUT_MS 5000
#define FORWARD_TIMEOUT_MS 5000

struct service {
	struct signature_keys *keys;
	struct registry *registry; /* NULL: no store is configured */
	struct breakers *breakers; /* of endpoints */
	struct retry_plan plan;
	struct address_policy *policy;
	struct http_client *client;
	struct amqp_link *consuming;
	struct amqp_link *publishing;
	struct meters meters;
	struct mailbox box;
	bool has_box;
	struct courier courier;
	bool has_courier;
	int64_t timeout_ms; /* of one attempt */
	int64_t silence_ms; /* without a turn of a link's loop or a frame from the broker: dead */
	int64_t ticked_ms;

	/* Written by one thread, read by others. */
	atomic_uint_fast64_t lost; /* generation of the last consuming connection that broke */
	struct loop_state loop;
};

/* --- on the links' threads -------------------------------------------------------------------- */

static void take_delivery(void *arg, struct amqp_delivery *message)
{
	struct service *service = arg;
	struct delivery *delivery = delivery_new(message, &service->box);

	if (!delivery) {
		amqp_link_settle(service->consuming, message->tag, AMQP_REQUEUE);
		amqp_delivery_free(message);
		return;
	}
	delivery_tell(delivery, DELIVERY_ARRIVED);
}

static void note_lost(void *arg, uint64_t generation)
{
	struct service *service = arg;

	atomic_store(&service->lost, generation);
	mailbox_knock(&service->box);
}

static void note_fatal(void *arg, const struct error *err)
{
	struct service *service = arg;

	loop_state_fail(&service->loop, err);
	mailbox_knock(&service->box);
}

/* --- making ----------------------------------------------------------------------------------- */

static int make_links(struct service *service, const struct config *config, struct metrics *metrics, struct error *err)
{
	const struct amqp_consumer_settings consumer = {
	    .queue = TOPOLOGY_CALLBACKS_QUEUE,
	    .prefetch = (uint16_t)config_integer(config, OPTION_CALLBACK_MAX_IN_FLIGHT),
	    .on_delivery = take_delivery,
	    .arg = service,
	};
	struct amqp_link_settings settings = {
	    .name = "facefleet-callback publishing",
	    .topology = TOPOLOGY_CALLBACKS | TOPOLOGY_CALLBACK_RETRIES,
	    .delays = {.callbacks = service->plan.distinct_ms},
	    /* For each a copy and a report. */
	    .publish_backlog = 2 * (size_t)config_integer(config, OPTION_CALLBACK_MAX_IN_FLIGHT),
	    .metrics = metrics,
	    .on_fatal = note_fatal,
	    .arg = service,
	};

	int r = amqp_link_new_from_config(&service->publishing, &settings, config, err);
	if (r != 0)
		return r;
	settings.name = "facefleet-callback consuming";
	settings.on_lost = note_lost;
	r = amqp_link_new_from_config(&service->consuming, &settings, config, err);
	if (r == 0 && amqp_link_add_consumer(service->consuming, &consumer) < 0)
		r = error_set(err, ERROR_INTERNAL, "out of memory");
	return r;
}

static int make_client(struct service *service, const struct config *config, struct error *err)
{
	struct http_client_settings settings = {
	    .name = "callback",
	    .user_agent = "facefleet/" FACEFLEET_VERSION,
	    .max_connections = (unsigned)config_integer(config, OPTION_CALLBACK_MAX_IN_FLIGHT),
	};
	int r = address_policy_new(&service->policy, config_string(config, OPTION_CALLBACK_ALLOW), err);

	settings.policy = service->policy;
	return r == 0 ? http_client_new(&service->client, &settings, err) : r;
}

static int make_registry(struct service *service, const struct config *config, struct error *err)
{
	struct store_settings settings;

	if (store_settings_from_config(&settings, config, NULL) < 0)
		return 0;
	service->registry = registry_new(&settings, REGISTRY_REFRESH_MS);
	return service->registry ? 0 : error_set(err, ERROR_INTERNAL, "out of memory");
}

static int make_courier(struct service *service, const struct config *config, struct error *err)
{
	const struct courier_tools tools = {
	    .box = &service->box,
	    .consuming = service->consuming,
	    .publishing = service->publishing,
	    .meters = &service->meters,
	    .max_in_flight = (unsigned)config_integer(config, OPTION_CALLBACK_MAX_IN_FLIGHT),
	    .posting =
		{
		    .client = service->client,
		    .keys = service->keys,
		    .registry = service->registry,
		    .breakers = service->breakers,
		    .plan = &service->plan,
		    .max_per_endpoint = (unsigned)config_integer(config, OPTION_CALLBACK_MAX_PER_ENDPOINT),
		    .timeout_ms = service->timeout_ms,
		},
	};

	if (courier_init(&service->courier, &tools) != 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	service->has_courier = true;
	return 0;
}

static int make(struct service *service, const struct config *config, struct metrics *metrics, struct error *err)
{
	int r = signature_keys_new(&service->keys, config_string(config, OPTION_CALLBACK_SECRET), err);

	if (r == 0)
		r = retry_plan_parse(&service->plan, config_string(config, OPTION_CALLBACK_SCHEDULE), err);
	if (r != 0)
		return r;
	if (mailbox_init(&service->box) != 0)
		return error_set(err, ERROR_INTERNAL, "no eventfd");
	service->has_box = true;
	service->timeout_ms = config_integer(config, OPTION_CALLBACK_TIMEOUT);
	service->silence_ms = MISSED_HEARTBEATS * 1000 * config_integer(config, OPTION_AMQP_HEARTBEAT);
	meters_init(&service->meters, metrics);
	service->breakers = breakers_new("callback_endpoint", &breakers_of_strangers, MAX_ENDPOINTS, metrics);
	if (!service->breakers)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	r = make_registry(service, config, err);
	if (r == 0)
		r = make_client(service, config, err);
	if (r == 0)
		r = make_links(service, config, metrics, err);
	return r == 0 ? make_courier(service, config, err) : r;
}

int service_new(struct service **out, const struct config *config, struct metrics *metrics, struct error *err)
{
	struct service *service = calloc(1, sizeof(*service));

	if (!service)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	loop_state_init(&service->loop);
	int r = make(service, config, metrics, err);
	if (r != 0) {
		service_free(service);
		return r;
	}
	*out = service;
	return 0;
}

void service_free(struct service *service)
{
	if (!service)
		return;
	/* Each of these ends a thread that uses the mailbox. */
	http_client_free(service->client);
	amqp_link_free(service->publishing);
	amqp_link_free(service->consuming);
	if (service->has_courier)
		courier_finish(&service->courier);
	if (service->has_box)
		mailbox_finish(&service->box);
	address_policy_free(service->policy);
	registry_free(service->registry);
	breakers_free(service->breakers);
	signature_keys_free(service->keys);
	free(service);
}

/* --- running ---------------------------------------------------------------------------------- */

/* One turn of the loop; `fd` ends the wait too. */
static void turn(struct service *service, int fd)
{
	mailbox_wait(&service->box, fd, TICK_MS);
	int64_t now_ms = clock_monotonic_ms();

	/* First, so that nothing is settled or sent on for a connection that is gone. */
	courier_lose(&service->courier, atomic_load(&service->lost));
	courier_read_mail(&service->courier);
	courier_shed(&service->courier, now_ms);
	if (now_ms - service->ticked_ms >= TICK_MS) {
		service->ticked_ms = now_ms;
		courier_tick(&service->courier, now_ms);
	}
	loop_state_turned(&service->loop, now_ms);
}

/* Turns until nothing is in hand, or the time is over, or more than `signals` stops were asked for. */
static void turn_until_idle(struct service *service, int64_t timeout_ms, int signals)
{
	int64_t until_ms = clock_monotonic_ms() + timeout_ms;

	while (!courier_is_idle(&service->courier) && clock_monotonic_ms() < until_ms && stop_requested() <= signals)
		turn(service, -1);
}

/* Finishes what is under way. What the broker has not confirmed by the end stays unsettled: it is delivered again. */
static void drain(struct service *service)
{
	struct courier *courier = &service->courier;

	log_info(NULL, "stopping: finishing the callbacks under way");
	atomic_store(&service->loop.stopping, true);
	courier_close(courier);
	if (amqp_link_drain(service->consuming, CANCEL_TIMEOUT_MS) != 0)
		log_warning(NULL, "the broker did not confirm the end of consuming");
	turn(service, -1); /* also gives back what arrived meanwhile */
	turn_until_idle(service, service->timeout_ms, 1);

	courier_hurry(courier);
	http_client_free(service->client);
	service->client = NULL;
	turn_until_idle(service, FORWARD_TIMEOUT_MS, 2);
	log_info(NULL, "stopped", log_boolean("idle", courier_is_idle(courier)));
}

int service_start(struct service *service, struct error *err)
{
	if (service->registry && registry_start(service->registry) < 0)
		return error_set(err, ERROR_INTERNAL, "no thread for the callback endpoints");
	int r = amqp_link_start(service->publishing, err);

	return r == 0 ? amqp_link_start(service->consuming, err) : r;
}

/* Takes over the settings that may change while it runs. */
static void adopt(struct service *service, const struct config *config)
{
	service->timeout_ms = config_integer(config, OPTION_CALLBACK_TIMEOUT);
	courier_set_limits(&service->courier, (unsigned)config_integer(config, OPTION_CALLBACK_MAX_PER_ENDPOINT),
			   service->timeout_ms);
}

int service_run(struct service *service, struct reload *reload, struct error *err)
{
	while (stop_requested() == 0 && !loop_state_has_failed(&service->loop)) {
		const struct config *news = reload_poll(reload);

		if (news)
			adopt(service, news);
		turn(service, stop_fd());
	}
	drain(service);
	return loop_state_fault(&service->loop, err);
}

/* --- health, on the HTTP server's thread ------------------------------------------------------- */

bool service_is_healthy(void *arg, char *why, size_t why_size)
{
	struct service *service = arg;

	return loop_state_is_turning(&service->loop, STUCK_MS, why, why_size) &&
	       amqp_link_is_alive(service->consuming, "consuming", service->silence_ms, why, why_size) &&
	       amqp_link_is_alive(service->publishing, "publishing", service->silence_ms, why, why_size);
}

bool service_is_ready(void *arg, char *why, size_t why_size)
{
	struct service *service = arg;

	return loop_state_is_serving(&service->loop, why, why_size) &&
	       amqp_link_is_ready(service->consuming, "consuming", service->silence_ms, why, why_size) &&
	       amqp_link_is_ready(service->publishing, "publishing", service->silence_ms, why, why_size);
}
