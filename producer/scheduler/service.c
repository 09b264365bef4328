#include "service.h"

#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "amqp/link.h"
#include "amqp/settings.h"
#include "base/clock.h"
#include "base/loop_state.h"
#include "base/stop.h"
#include "dispatcher.h"
#include "leader.h"
#include "obs/log.h"
#include "store/store.h"

/* Time without a turn after which the loop counts as stuck, beside what the store may take. */
#define STUCK_MS 30000
/* A turn may ask the store this often. */
#define CALLS_IN_A_TURN 10
/* Heartbeats missed until a connection counts as dead. */
#define MISSED_HEARTBEATS 3
#define COUNT_MS 60000
/* How often the loop looks for new settings when nothing happens. */
#define RELOAD_MS 500
#define DRAIN_MS 5000
#define DRAIN_TICK_MS 100

struct service {
	struct store_settings store_settings;
	struct store *store; /* NULL: not reached yet */
	struct amqp_link *link;
	struct meters meters;
	struct mailbox box;
	bool has_box;
	struct leader leader;
	struct window window;
	struct dispatcher dispatcher;
	uint64_t version; /* of the table, when it was last looked at */
	atomic_int_fast64_t poll_ms;
	int64_t tick_ms;  /* monotonic; the next tick */
	int64_t look_ms;  /* monotonic; the next look at the table's version */
	int64_t count_ms; /* monotonic; the next count */
	int64_t silence_ms;
	uint64_t token; /* what it led with in the last turn; 0: another led */

	/* Written by the loop, read by others. */
	atomic_bool store_answers;
	struct loop_state loop;
};

/* Any thread; on the link's when it is called by it. */
static void note_fatal(void *arg, const struct error *err)
{
	struct service *service = arg;

	loop_state_fail(&service->loop, err);
	mailbox_knock(&service->box);
}

/* --- making ----------------------------------------------------------------------------------- */

static int make_link(struct service *service, const struct config *config, struct metrics *metrics, struct error *err)
{
	const struct amqp_link_settings settings = {
	    .name = "facefleet-scheduler",
	    .topology = TOPOLOGY_JOBS | TOPOLOGY_REPLIES,
	    .publish_backlog = DISPATCHER_MAX_IN_FLIGHT,
	    .metrics = metrics,
	    .on_fatal = note_fatal,
	    .arg = service,
	};

	return amqp_link_new_from_config(&service->link, &settings, config, err);
}

static int make(struct service *service, const struct config *config, struct metrics *metrics, struct error *err)
{
	int r = store_settings_from_config(&service->store_settings, config, err);

	if (r < 0)
		return r;
	if (mailbox_init(&service->box) != 0)
		return error_set(err, ERROR_INTERNAL, "no eventfd");
	service->has_box = true;
	atomic_store(&service->poll_ms, config_integer(config, OPTION_SCHEDULER_POLL));
	service->silence_ms = MISSED_HEARTBEATS * 1000 * config_integer(config, OPTION_AMQP_HEARTBEAT);
	meters_init(&service->meters, metrics);
	leader_init(&service->leader, config_integer(config, OPTION_SCHEDULER_LOCK_TTL));
	r = make_link(service, config, metrics, err);
	if (r < 0)
		return r;
	const struct dispatcher_tools tools = {
	    .box = &service->box,
	    .link = service->link,
	    .meters = &service->meters,
	    .misfire_after_ms = config_integer(config, OPTION_SCHEDULER_MISFIRE),
	};
	if (window_init(&service->window) < 0 || dispatcher_init(&service->dispatcher, &tools) < 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	return 0;
}

int service_new(struct service **out, const struct config *config, struct metrics *metrics, struct error *err)
{
	struct service *service = calloc(1, sizeof(*service));

	if (!service)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	TAILQ_INIT(&service->dispatcher.runs);
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
	/* Ends the thread that posts into the mailbox. */
	amqp_link_free(service->link);
	dispatcher_finish(&service->dispatcher);
	window_finish(&service->window);
	store_close(service->store);
	if (service->has_box)
		mailbox_finish(&service->box);
	free(service);
}

/* --- the store -------------------------------------------------------------------------------- */

/* Said once, until it answers again. Returns whether it answered. */
static bool note_store(struct service *service, int r, const struct error *err)
{
	bool answered = atomic_exchange(&service->store_answers, r == 0);

	if (r < 0)
		metric_add(service->meters.store_errors, 1);
	if (r < 0 && answered)
		log_warning(NULL, "the store does not do what it should; schedules wait", LOG_ERROR_FIELDS(err));
	else if (r == 0 && !answered)
		log_info(NULL, "the store answers");
	return r == 0;
}

static int open_store(struct service *service, struct error *err)
{
	int r = service->store ? 0 : store_open(&service->store, &service->store_settings, err);

	if (r < 0 && err->class == ERROR_CLASS_FATAL)
		note_fatal(service, err);
	return r;
}

static int look_for_changes(struct service *service, struct error *err)
{
	int64_t now_ms = clock_monotonic_ms();
	uint64_t version, schedules;

	if (now_ms < service->look_ms)
		return 0;
	int r = schedules_version(service->store, &version, err);

	if (r == 0)
		service->look_ms = now_ms + atomic_load(&service->poll_ms);
	if (r == 0 && version != service->version) {
		service->version = version;
		service->window.is_stale = true;
	}
	if (r == 0 && now_ms >= service->count_ms) {
		service->count_ms = now_ms + COUNT_MS;
		r = schedules_count(service->store, &schedules, err);
		if (r == 0)
			metric_set(service->meters.schedules, (double)schedules);
	}
	return r;
}

static int tick(struct service *service, struct error *err)
{
	int r = open_store(service, err);

	if (r == 0)
		r = leader_tick(&service->leader, service->store, err);
	if (r == 0 && service->leader.is_leading)
		r = look_for_changes(service, err);
	return r;
}

/* --- the loop --------------------------------------------------------------------------------- */

static bool link_is_ready(struct service *service)
{
	struct amqp_link_status status;

	amqp_link_status(service->link, &status);
	return status.connected && !status.blocked;
}

static int fill_window(struct service *service, struct error *err)
{
	int64_t now_ms = clock_unix_ms();

	if (!window_is_due(&service->window, now_ms))
		return 0;
	dispatcher_sort(&service->dispatcher);
	return window_fill(&service->window, service->store, now_ms, dispatcher_has, &service->dispatcher, err);
}

static int act(struct service *service, struct error *err)
{
	struct dispatcher_turn turn = {
	    .store = service->store,
	    .token = service->leader.lock.token,
	    .window = &service->window,
	    .is_held = true,
	};
	int r = fill_window(service, err);

	if (r == 0 && !atomic_load(&service->loop.stopping) && link_is_ready(service))
		r = dispatcher_start(&service->dispatcher, &turn, err);
	if (r == 0 && turn.is_held)
		r = dispatcher_record(&service->dispatcher, &turn, err);
	if (r == 0 && !turn.is_held)
		leader_lose(&service->leader);
	return r;
}

/* Drops what belongs to the time before, when the lock came or went. */
static bool is_leading(struct service *service)
{
	uint64_t token = leader_is_leading(&service->leader) ? service->leader.lock.token : 0;

	if (token != service->token) {
		dispatcher_abandon(&service->dispatcher);
		window_clear(&service->window);
		metric_set(service->meters.is_leader, token != 0);
		service->token = token;
	}
	return token != 0;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until something is due; what cannot be done now waits for a tick or an outcome. */
static int wait_ms(struct service *service)
{
	int64_t now_ms = clock_monotonic_ms();
	int64_t wait = service->tick_ms - now_ms;

	if (service->token != 0 && atomic_load(&service->store_answers) && link_is_ready(service)) {
		wait = sooner(wait, dispatcher_next_ms(&service->dispatcher) - now_ms);
		if (dispatcher_has_room(&service->dispatcher))
			wait = sooner(wait, window_next_ms(&service->window) - clock_unix_ms());
	}
	return wait < 0 ? 0 : (int)sooner(wait, INT_MAX);
}

/* One turn of the loop; `fd` ends the wait too. */
static void turn(struct service *service, int fd, int most_ms)
{
	struct error err = {0};
	int wait = wait_ms(service);
	bool answers = true;

	mailbox_wait(&service->box, fd, wait < most_ms ? wait : most_ms);
	dispatcher_read_mail(&service->dispatcher);
	if (clock_monotonic_ms() >= service->tick_ms) {
		answers = note_store(service, tick(service, &err), &err);
		service->tick_ms =
		    clock_monotonic_ms() + sooner(atomic_load(&service->poll_ms), leader_pause_ms(&service->leader));
	}
	/* After a fault the next tick tries again. */
	if (is_leading(service) && answers && atomic_load(&service->store_answers))
		note_store(service, act(service, &err), &err);
	(void)is_leading(service);
	metric_set(service->meters.in_memory, (double)window_size(&service->window));
	loop_state_turned(&service->loop, clock_monotonic_ms());
}

/* What is under way gets its outcome, and is recorded. What the broker does not confirm by the end is published again
 * by whoever leads next, as the same task. */
static void drain(struct service *service)
{
	int64_t until_ms = clock_monotonic_ms() + DRAIN_MS;

	log_info(NULL, "stopping");
	atomic_store(&service->loop.stopping, true);
	while (!dispatcher_is_idle(&service->dispatcher) && clock_monotonic_ms() < until_ms && stop_requested() <= 1)
		turn(service, -1, DRAIN_TICK_MS);
	turn(service, -1, 0);
	if (service->store)
		leader_resign(&service->leader, service->store);
	log_info(NULL, "stopped", log_boolean("idle", dispatcher_is_idle(&service->dispatcher)));
}

int service_start(struct service *service, struct error *err)
{
	struct error why = {0};

	atomic_store(&service->store_answers, true);
	note_store(service, open_store(service, &why), &why);
	int r = loop_state_fault(&service->loop, err);
	return r == 0 ? amqp_link_start(service->link, err) : r;
}

/* Takes over the settings that may change while it runs. */
static void adopt(struct service *service, const struct config *config)
{
	atomic_store(&service->poll_ms, config_integer(config, OPTION_SCHEDULER_POLL));
	service->dispatcher.tools.misfire_after_ms = config_integer(config, OPTION_SCHEDULER_MISFIRE);
	service->tick_ms = service->look_ms = 0; /* the next ones may be due sooner */
}

int service_run(struct service *service, struct reload *reload, struct error *err)
{
	while (stop_requested() == 0 && !loop_state_has_failed(&service->loop)) {
		const struct config *news = reload_poll(reload);

		if (news)
			adopt(service, news);
		turn(service, stop_fd(), RELOAD_MS);
	}
	drain(service);
	return loop_state_fault(&service->loop, err);
}

/* --- health, on the HTTP server's thread ------------------------------------------------------- */

bool service_is_healthy(void *arg, char *why, size_t why_size)
{
	struct service *service = arg;
	int64_t stuck_ms =
	    STUCK_MS + atomic_load(&service->poll_ms) + CALLS_IN_A_TURN * service->store_settings.timeout_ms;
	struct amqp_link_status status;

	if (!loop_state_is_turning(&service->loop, stuck_ms, why, why_size))
		return false;
	amqp_link_status(service->link, &status);
	if (status.loop_silent_ms <= service->silence_ms)
		return true;
	snprintf(why, why_size, "the link has not turned for %" PRId64 " ms", status.loop_silent_ms);
	return false;
}

bool service_is_ready(void *arg, char *why, size_t why_size)
{
	struct service *service = arg;
	struct amqp_link_status status;

	if (!loop_state_is_serving(&service->loop, why, why_size))
		return false;
	amqp_link_status(service->link, &status);
	if (!atomic_load(&service->store_answers))
		snprintf(why, why_size, "the store does not answer");
	else if (!status.connected)
		snprintf(why, why_size, "no broker");
	else if (status.silent_ms > service->silence_ms)
		snprintf(why, why_size, "no sign of the broker for %" PRId64 " ms", status.silent_ms);
	else
		return true;
	return false;
}
