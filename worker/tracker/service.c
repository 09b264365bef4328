#include "service.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "amqp/link.h"
#include "amqp/link_health.h"
#include "amqp/settings.h"
#include "base/clock.h"
#include "base/loop_state.h"
#include "base/stop.h"
#include "clerk.h"
#include "obs/log.h"
#include "scribe.h"

/* How often the loop turns when nothing happens. */
#define TICK_MS 100
/* Time without a turn after which the loop counts as stuck. */
#define STUCK_MS 30000
/* Heartbeats missed until a connection counts as dead. */
#define MISSED_HEARTBEATS 3
/* So many batches may be in hand: one is recorded, others wait for it, and more are on the way. */
#define BATCHES_IN_HAND 4
/* How long the end may take beside the store's time limit. */
#define CANCEL_TIMEOUT_MS 5000
#define FINISH_TIMEOUT_MS 5000

struct service {
	struct amqp_link *consuming;
	struct amqp_link *publishing;
	unsigned consumer;
	char name[128]; /* the worker of the replies it sends */
	struct store_settings store;
	struct scribe_settings scribe_settings;
	struct scribe *scribe;
	struct meters meters;
	struct mailbox box;
	bool has_box;
	struct clerk clerk;
	bool has_clerk;
	unsigned prefetch;
	int64_t silence_ms; /* without a turn of a link's loop or a frame from the broker: dead */

	/* Written by one thread, read by others. */
	atomic_uint in_hand;
	atomic_bool paused;        /* the store is out of reach */
	atomic_uint_fast64_t lost; /* generation of the last consuming connection that broke */
	struct loop_state loop;
};

/* --- on other threads -------------------------------------------------------------------------- */

static void take_delivery(void *arg, struct amqp_delivery *delivery)
{
	struct service *service = arg;
	struct message *message = message_new(delivery, &service->box);

	if (!message) {
		amqp_link_settle(service->consuming, delivery->tag, AMQP_REQUEUE);
		amqp_delivery_free(delivery);
		return;
	}
	letter_post(&message->letter, LETTER_ARRIVED);
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

/* Whether what the queue has is as good as in hand. */
static bool is_caught_up(void *arg)
{
	struct service *service = arg;
	struct amqp_link_status status;

	amqp_link_status(service->consuming, &status);
	return status.connected && status.consuming && !atomic_load(&service->paused) &&
	       !atomic_load(&service->loop.stopping) && atomic_load(&service->in_hand) <= service->prefetch / 2;
}

/* --- what the clerk works with ----------------------------------------------------------------- */

static void give(void *arg, struct batch *batch)
{
	scribe_give(((struct service *)arg)->scribe, batch);
}

static void settle(void *arg, struct amqp_tag tag, enum amqp_settlement settlement)
{
	amqp_link_settle(((struct service *)arg)->consuming, tag, settlement);
}

static int publish(void *arg, struct amqp_message *message, amqp_outcome_fn *done, void *done_arg)
{
	return amqp_link_publish(((struct service *)arg)->publishing, message, done, done_arg);
}

static void set_paused(void *arg, bool paused)
{
	struct service *service = arg;

	atomic_store(&service->paused, paused);
	if (paused)
		amqp_link_pause(service->consuming, service->consumer);
	else
		amqp_link_resume(service->consuming, service->consumer, 0);
}

/* --- making ----------------------------------------------------------------------------------- */

static int make_consuming(struct service *service, const struct config *config, struct amqp_link_settings *settings,
			  struct error *err)
{
	const struct amqp_consumer_settings consumer = {
	    .queue = TOPOLOGY_TRACKER_QUEUE,
	    .prefetch = (uint16_t)service->prefetch,
	    .on_delivery = take_delivery,
	    .arg = service,
	};

	settings->name = "facefleet-tracker consuming";
	settings->on_lost = note_lost;
	int r = amqp_link_new_from_config(&service->consuming, settings, config, err);
	if (r < 0)
		return r;
	r = amqp_link_add_consumer(service->consuming, &consumer);
	if (r < 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	service->consumer = (unsigned)r;
	return 0;
}

static int make_links(struct service *service, const struct config *config, struct metrics *metrics, struct error *err)
{
	struct amqp_link_settings settings = {
	    .name = "facefleet-tracker publishing",
	    .topology = TOPOLOGY_TRACKER | TOPOLOGY_REPLIES,
	    .publish_backlog = service->prefetch,
	    .metrics = metrics,
	    .on_fatal = note_fatal,
	    .arg = service,
	};
	int r = amqp_link_new_from_config(&service->publishing, &settings, config, err);

	return r == 0 ? make_consuming(service, config, &settings, err) : r;
}

static int make_clerk(struct service *service, const struct config *config, struct error *err)
{
	const struct clerk_tools tools = {
	    .box = &service->box,
	    .batch_size = (unsigned)config_integer(config, OPTION_TRACKER_BATCH),
	    .meters = &service->meters,
	    .give = give,
	    .settle = settle,
	    .publish = publish,
	    .pause = set_paused,
	    .arg = service,
	};

	if (clerk_init(&service->clerk, &tools) != 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	service->has_clerk = true;
	return 0;
}

static void set_name(struct service *service)
{
	char host[64] = "localhost";

	gethostname(host, sizeof(host) - 1);
	snprintf(service->name, sizeof(service->name), "tracker-%s-%d", host, (int)getpid());
}

static void prepare_scribe(struct service *service, const struct config *config)
{
	service->scribe_settings = (struct scribe_settings){
	    .store = service->store,
	    .sweeper = {.publishing = service->publishing,
			.name = service->name,
			.lease_ms = config_integer(config, OPTION_TRACKER_LEASE),
			.keep_ms = config_integer(config, OPTION_TRACKER_KEEP),
			.caught_up = is_caught_up,
			.arg = service,
			.meters = &service->meters},
	    .meters = &service->meters,
	    .on_fatal = note_fatal,
	    .arg = service,
	};
}

static int make(struct service *service, const struct config *config, struct metrics *metrics, struct error *err)
{
	int r = store_settings_from_config(&service->store, config, err);

	if (r != 0)
		return r;
	if (mailbox_init(&service->box) != 0)
		return error_set(err, ERROR_INTERNAL, "no eventfd");
	service->has_box = true;
	service->prefetch = BATCHES_IN_HAND * (unsigned)config_integer(config, OPTION_TRACKER_BATCH);
	service->silence_ms = MISSED_HEARTBEATS * 1000 * config_integer(config, OPTION_AMQP_HEARTBEAT);
	set_name(service);
	meters_init(&service->meters, metrics);
	r = make_links(service, config, metrics, err);
	if (r == 0)
		r = make_clerk(service, config, err);
	if (r == 0)
		prepare_scribe(service, config);
	return r;
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
	/* Each of these ends a thread that uses the mailbox; the first uses the links too. */
	scribe_stop(service->scribe);
	amqp_link_free(service->publishing);
	amqp_link_free(service->consuming);
	if (service->has_clerk)
		clerk_finish(&service->clerk);
	if (service->has_box)
		mailbox_finish(&service->box);
	free(service);
}

/* --- running ---------------------------------------------------------------------------------- */

/* One turn of the loop; `fd` ends the wait too. */
static void turn(struct service *service, int fd)
{
	struct clerk *clerk = &service->clerk;

	mailbox_wait(&service->box, fd, clerk_idle_ms(clerk, clock_monotonic_ms(), TICK_MS));
	int64_t now_ms = clock_monotonic_ms();

	/* First, so that nothing is settled for a connection that is gone. */
	clerk_lose(clerk, atomic_load(&service->lost));
	clerk_read_mail(clerk, now_ms);
	clerk_tick(clerk, now_ms);
	atomic_store(&service->in_hand, clerk->in_hand);
	loop_state_turned(&service->loop, now_ms);
}

/* Records what is in hand. What the broker has not confirmed by the end stays unsettled: it is delivered again. */
static void drain(struct service *service)
{
	struct clerk *clerk = &service->clerk;
	int64_t until_ms;

	log_info(NULL, "stopping: recording what is in hand");
	atomic_store(&service->loop.stopping, true);
	clerk_close(clerk);
	if (amqp_link_drain(service->consuming, CANCEL_TIMEOUT_MS) != 0)
		log_warning(NULL, "the broker did not confirm the end of consuming");
	until_ms = clock_monotonic_ms() + service->store.timeout_ms + FINISH_TIMEOUT_MS;
	do
		turn(service, -1);
	while (!clerk_is_idle(clerk) && clock_monotonic_ms() < until_ms && stop_requested() <= 1);
	log_info(NULL, "stopped", log_boolean("idle", clerk_is_idle(clerk)));
}

int service_start(struct service *service, struct error *err)
{
	int r = scribe_start(&service->scribe, &service->scribe_settings, err);

	if (r == 0)
		r = amqp_link_start(service->publishing, err);
	return r == 0 ? amqp_link_start(service->consuming, err) : r;
}

int service_run(struct service *service, struct reload *reload, struct error *err)
{
	while (stop_requested() == 0 && !loop_state_has_failed(&service->loop)) {
		const struct config *news = reload_poll(reload);

		if (news)
			scribe_set_times(service->scribe, config_integer(news, OPTION_TRACKER_LEASE),
					 config_integer(news, OPTION_TRACKER_KEEP));
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
	       scribe_holds(service->scribe, clock_monotonic_ms(), why, why_size) &&
	       amqp_link_is_alive(service->consuming, "consuming", service->silence_ms, why, why_size) &&
	       amqp_link_is_alive(service->publishing, "publishing", service->silence_ms, why, why_size);
}

bool service_is_ready(void *arg, char *why, size_t why_size)
{
	struct service *service = arg;

	if (!loop_state_is_serving(&service->loop, why, why_size))
		return false;
	if (atomic_load(&service->paused) || metric_value(service->meters.store_up) == 0) {
		snprintf(why, why_size, "the store is out of reach");
		return false;
	}
	return amqp_link_is_ready(service->consuming, "consuming", service->silence_ms, why, why_size) &&
	       amqp_link_is_ready(service->publishing, "publishing", service->silence_ms, why, why_size);
}
