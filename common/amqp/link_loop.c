/* The link's thread. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "amqp/link_private.h"
#include "amqp/topology_declare.h"
#include "base/clock.h"
#include "base/thread.h"
#include "base/wakeup.h"
#include "obs/log.h"

#define REQUEST_TIMEOUT_MS 10000
/* The loop turns at least so often: heartbeats are sent then, and a health check sees it live. */
#define SLEEP_MS 1000
#define FRAMES_PER_TURN 256
#define PUBLISH_BYTES_PER_TURN (1u << 20)
/* A connection that lasted so long was a good one: the next back-off begins small. */
#define STABLE_MS 10000

/* --- what other threads want --- */

/* Takes over what came in since the last turn. Returns the settlements for this connection. */
static size_t take_requests(struct amqp_link *link, bool *stopping)
{
	pthread_mutex_lock(&link->lock);
	link->taken_turn++;
	if (link->woken) {
		wakeup_clear(link->wake_fd);
		link->woken = false;
	}
	publisher_accept(&link->publisher, &link->inbox);
	for (unsigned i = 0; i < link->consumer_count; i++) {
		link->consumers[i].goal = link->consumers[i].wanted;
		link->consumers[i].goal_prefetch = link->consumers[i].prefetch;
	}
	size_t wishes = link->wish_count;
	struct settlement *filled = link->wishes;
	size_t capacity = link->wish_capacity;
	link->wishes = link->taken;
	link->wish_capacity = link->taken_capacity;
	link->wish_count = 0;
	link->taken = filled;
	link->taken_capacity = capacity;
	*stopping = link->stopping;
	pthread_mutex_unlock(&link->lock);
	return wishes;
}

/* Shows the other threads how far the loop is, and wakes those who wait for it. */
static void show_progress(struct amqp_link *link)
{
	bool changed = false;

	pthread_mutex_lock(&link->lock);
	link->last_turn_ms = clock_monotonic_ms();
	link->shown_turn = link->taken_turn;
	if (link->readable)
		link->last_frame_ms = link->last_turn_ms;
	for (unsigned i = 0; i < link->consumer_count; i++) {
		struct consumer *consumer = &link->consumers[i];
		changed = changed || consumer->shown != consumer->state;
		consumer->shown = consumer->state;
	}
	link_meters_set(link->meters.unconfirmed, (double)link->unconfirmed);
	if (changed || link->draining)
		pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
	link->readable = false;
}

/* --- connecting --- */

static int declare_all(struct amqp_link *link, struct error *err)
{
	int r = topology_declare(&link->connection, &link->plan, err);

	for (unsigned i = 0; r == 0 && i < link->consumer_count; i++)
		r = consumer_declare_queue(&link->consumers[i], &link->connection, err);
	return r;
}

static int open_and_declare(struct amqp_link *link, const struct amqp_endpoint *endpoint, struct error *err)
{
	int r = connection_open(&link->connection,
				&(struct connection_settings){
				    .url = &link->url,
				    .endpoint = endpoint,
				    .name = link->name,
				    .heartbeat_s = link->settings.heartbeat_s,
				    .timeout_ms = REQUEST_TIMEOUT_MS,
				    .watchdog = &link->watchdog,
				},
				err);

	if (r == 0)
		r = declare_all(link, err);
	if (r == 0) {
		connection_touch(&link->connection);
		amqp_confirm_select(link->connection.state, CONNECTION_CHANNEL);
		r = connection_check(amqp_get_rpc_reply(link->connection.state), "confirm.select", err);
	}
	if (r == 0) {
		int fd = amqp_get_sockfd(link->connection.state);
		struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
		if (epoll_ctl(link->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
			r = error_set(err, ERROR_CONNECTION, "epoll: %s", strerror(errno));
	}
	if (r < 0)
		connection_close(&link->connection, false);
	return r;
}

static void note_connected(struct amqp_link *link, const char *where)
{
	pthread_mutex_lock(&link->lock);
	uint64_t generation = ++link->generation;
	link->up = true;
	link->fatal = false;
	link->last_frame_ms = clock_monotonic_ms();
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);

	link->fatal_reported = false;
	frames_init(&link->frames, &link_frames_ops, link, generation);
	link_meters_set(link->meters.connected, 1);
	link_meters_count(link->meters.connects);
	log_info(NULL, "connected to the broker", log_string("link", link->name), log_string("broker", where),
		 log_integer("generation", (int64_t)generation));
}

static void note_failed(struct amqp_link *link, const struct error *err)
{
	bool fatal = err->class == ERROR_CLASS_FATAL;

	pthread_mutex_lock(&link->lock);
	bool first = link->backoff.failures == 0;
	bool worked_once = link->generation > 0;
	bool wanted = !link->stopping;
	link->last_error = *err;
	link->fatal = fatal;
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);

	if (first && wanted)
		log_warning(NULL, "no connection to the broker", log_string("link", link->name), LOG_ERROR_FIELDS(err));
	else
		log_debug(NULL, "no connection to the broker", log_string("link", link->name), LOG_ERROR_FIELDS(err));
	if (fatal && !link->fatal_reported && link->settings.on_fatal && (worked_once || err->code == ERROR_TOPOLOGY)) {
		link->fatal_reported = true;
		link->settings.on_fatal(link->settings.arg, err);
	}
}

/* Tries the next host. False when it failed; then the one after it is the next. */
static bool connect_once(struct amqp_link *link)
{
	const struct amqp_endpoint *endpoint = &link->url.hosts[link->host];
	char where[600];
	struct error err;

	watchdog_enter(&link->watchdog);
	int r = open_and_declare(link, endpoint, &err);
	watchdog_leave(&link->watchdog);
	if (r < 0) {
		link->host = (link->host + 1) % link->url.count;
		note_failed(link, &err);
		return false;
	}
	amqp_endpoint_format(endpoint, where, sizeof(where));
	note_connected(link, where);
	return true;
}

/* --- serving --- */

/* Takes what the broker sent, a bounded number of frames. */
static int read_frames(struct amqp_link *link)
{
	const struct timeval now = {0};

	for (int i = 0; i < FRAMES_PER_TURN; i++) {
		amqp_frame_t frame;
		int status = amqp_simple_wait_frame_noblock(link->connection.state, &frame, &now);
		if (status == AMQP_STATUS_TIMEOUT)
			break;
		int r = connection_check_status(status, "read", &link->failure);
		if (r < 0)
			return r;
		link->readable = true;
		r = frames_handle(&link->frames, &frame);
		if (r < 0 && !error_is_set(&link->failure))
			error_set(&link->failure, ERROR_CONNECTION, "a frame of the broker cannot be used: %s",
				  strerror(-r));
		if (r < 0)
			return r;
		/* Between two frames nothing points into the library's pools. */
		amqp_maybe_release_buffers(link->connection.state);
	}
	return 0;
}

/* The topology again, and the own queues of consumers that lost theirs: no others, for each would be a new one. */
static int replace_lost_queues(struct amqp_link *link, int64_t now_ms)
{
	bool declared = false;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < link->consumer_count; i++) {
		struct consumer *consumer = &link->consumers[i];
		if (!consumer->queue_lost || !consumer_is_due(consumer, now_ms))
			continue;
		consumer->queue_lost = false;
		if (!declared)
			r = topology_declare(&link->connection, &link->plan, &link->failure);
		declared = true;
		if (r == 0)
			r = consumer_declare_queue(consumer, &link->connection, &link->failure);
	}
	return r;
}

static int step_consumers(struct amqp_link *link)
{
	int64_t now = clock_monotonic_ms();
	int r = replace_lost_queues(link, now);

	for (unsigned i = 0; r == 0 && i < link->consumer_count; i++)
		r = consumer_step(&link->consumers[i], &link->connection, now, &link->failure);
	return r;
}

/* One turn: hear, obey, speak. Returns 0, -ESHUTDOWN when the link is to end, or why the connection is lost. */
static int turn(struct amqp_link *link)
{
	bool stopping = false;
	int r = read_frames(link);

	if (r == 0) {
		size_t wishes = take_requests(link, &stopping);
		connection_touch(&link->connection);
		r = settler_apply(&link->settler, link->taken, wishes);
	}
	if (r == 0 && stopping)
		return -ESHUTDOWN;
	if (r == 0)
		r = step_consumers(link);
	/* `blocked` is written by this thread alone. */
	if (r == 0 && !link->blocked)
		r = publisher_pump(&link->publisher, PUBLISH_BYTES_PER_TURN);
	return r;
}

static bool has_work(struct amqp_link *link)
{
	return amqp_frames_enqueued(link->connection.state) || amqp_data_in_buffer(link->connection.state) ||
	       (!link->blocked && publisher_has_work(&link->publisher));
}

/* Milliseconds until a consumer that waits to be started again is due, at most SLEEP_MS. */
static int sleep_ms(const struct amqp_link *link)
{
	int64_t now = clock_monotonic_ms();
	int64_t least = SLEEP_MS;

	for (unsigned i = 0; i < link->consumer_count; i++) {
		const struct consumer *consumer = &link->consumers[i];
		int64_t left = consumer->retry_at_ms - now;
		if (consumer->state == CONSUMER_IDLE && consumer->goal && left < least)
			least = left > 0 ? left : 0;
	}
	return (int)least;
}

/* Sleeps until the socket, another thread or the clock wants something. */
static void wait_for_work(struct amqp_link *link, int timeout_ms)
{
	struct epoll_event events[2];
	int count = epoll_wait(link->epoll_fd, events, array_size(events), timeout_ms);

	for (int i = 0; i < count; i++)
		if (events[i].data.fd != link->wake_fd)
			link->readable = true;
}

/* Ends a connection that is lost, or that `politely` is given up. */
static void disconnect(struct amqp_link *link, bool politely)
{
	pthread_mutex_lock(&link->lock);
	link->up = false;
	link->blocked = false;
	link->wish_count = 0;
	if (error_is_set(&link->failure))
		link->last_error = link->failure;
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);

	watchdog_enter(&link->watchdog);
	for (unsigned i = 0; politely && i < link->consumer_count; i++)
		consumer_delete_queue(&link->consumers[i], &link->connection);
	connection_close(&link->connection, politely);
	watchdog_leave(&link->watchdog);
	frames_finish(&link->frames);
	settler_reset(&link->settler);
	publisher_reset(&link->publisher);
	for (unsigned i = 0; i < link->consumer_count; i++)
		consumer_reset(&link->consumers[i]);
	show_progress(link);
	link_meters_set(link->meters.connected, 0);
}

/* Serves the connection until it is lost or the link is to end. False when it is to end. */
static bool serve(struct amqp_link *link)
{
	int64_t since_ms = clock_monotonic_ms();
	uint64_t generation = link->generation;
	int r;

	error_clear(&link->failure);
	for (;;) {
		watchdog_enter(&link->watchdog);
		r = turn(link);
		watchdog_leave(&link->watchdog);
		show_progress(link);
		if (r < 0)
			break;
		if (!has_work(link))
			wait_for_work(link, sleep_ms(link));
	}
	disconnect(link, r == -ESHUTDOWN);
	if (r == -ESHUTDOWN)
		return false;
	log_warning(NULL, "lost the connection to the broker", log_string("link", link->name),
		    LOG_ERROR_FIELDS(&link->failure));
	if (clock_monotonic_ms() - since_ms > STABLE_MS)
		backoff_reset(&link->backoff);
	if (link->settings.on_lost)
		link->settings.on_lost(link->settings.arg, generation);
	return true;
}

/* Waits before the next attempt. False when the link is to end. */
static bool back_off(struct amqp_link *link, int64_t wait_ms)
{
	int64_t until_ms = clock_monotonic_ms() + wait_ms;
	bool stopping = false;

	for (;;) {
		int64_t left = until_ms - clock_monotonic_ms();
		take_requests(link, &stopping);
		show_progress(link);
		if (stopping || left <= 0)
			return !stopping;
		wait_for_work(link, left < SLEEP_MS ? (int)left : SLEEP_MS);
	}
}

void *link_loop(void *arg)
{
	struct amqp_link *link = arg;
	bool running = true;

	thread_set_name("%s", link->name);
	while (running) {
		bool served = connect_once(link);
		if (served)
			running = serve(link);
		/* A host that fails is followed by the next at once; only after the last of them is it time to wait. */
		if (running)
			running = back_off(link, served || link->host == 0 ? backoff_next_ms(&link->backoff) : 0);
	}
	publisher_finish(&link->publisher);
	pthread_mutex_lock(&link->lock);
	link->finished = true;
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
	return NULL;
}
