#include "amqp/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "amqp/link_private.h"
#include "base/clock.h"
#include "base/stop.h"
#include "base/thread.h"
#include "base/wakeup.h"
#include "job/job.h"

#define DEFAULT_HEARTBEAT_S 15
#define DEFAULT_RECONNECT_MAX_MS 10000
#define DEFAULT_WINDOW 200
#define DEFAULT_BACKLOG 1000
#define RECONNECT_FIRST_MS 200
/* A call into the AMQP library that takes longer than so many heartbeats is ended. */
#define HANGING_HEARTBEATS 2
#define FREE_TIMEOUT_MS 2000
/* How long a waiting function may overlook a signal. */
#define STOP_POLL_MS 50

/* --- making --- */

static void take_settings(struct amqp_link *link, const struct amqp_link_settings *settings)
{
	link->settings = *settings;
	link->url = *settings->url;
	snprintf(link->name, sizeof(link->name), "%s", settings->name);
	link->settings.url = &link->url;
	link->settings.name = link->name;
	if (link->settings.heartbeat_s == 0)
		link->settings.heartbeat_s = DEFAULT_HEARTBEAT_S;
	if (link->settings.publish_window == 0)
		link->settings.publish_window = DEFAULT_WINDOW;
	if (link->settings.publish_backlog == 0)
		link->settings.publish_backlog = DEFAULT_BACKLOG;
	link->capacity = link->settings.publish_window + link->settings.publish_backlog;
	link->backoff.first_ms = RECONNECT_FIRST_MS;
	link->backoff.max_ms = settings->reconnect_max_ms ? settings->reconnect_max_ms : DEFAULT_RECONNECT_MAX_MS;
	/* The lists of delays need not outlive this call: the plan holds what they say. */
	topology_plan_fill(&link->plan, settings->topology, &settings->delays);
	link->settings.delays = (struct topology_delays){0};
}

static int open_descriptors(struct amqp_link *link)
{
	struct epoll_event wake = {.events = EPOLLIN, .data.fd = -1};

	link->wake_fd = wakeup_open();
	link->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (link->wake_fd < 0 || link->epoll_fd < 0)
		return -errno;
	wake.data.fd = link->wake_fd;
	return epoll_ctl(link->epoll_fd, EPOLL_CTL_ADD, link->wake_fd, &wake) < 0 ? -errno : 0;
}

static void destroy(struct amqp_link *link)
{
	if (link->wake_fd >= 0)
		close(link->wake_fd);
	if (link->epoll_fd >= 0)
		close(link->epoll_fd);
	settler_finish(&link->settler);
	pthread_cond_destroy(&link->changed);
	pthread_mutex_destroy(&link->lock);
	free(link->wishes);
	free(link->taken);
	free(link);
}

int amqp_link_new(struct amqp_link **out, const struct amqp_link_settings *settings, struct error *err)
{
	struct amqp_link *link = calloc(1, sizeof(*link));
	pthread_condattr_t attributes;

	if (!link)
		return error_set(err, ERROR_CONNECTION, "out of memory");
	take_settings(link, settings);
	link_meters_init(&link->meters, settings->metrics, link->name);
	TAILQ_INIT(&link->inbox);
	publisher_init(&link->publisher, link->settings.publish_window, &link_publisher_ops, link);
	settler_init(&link->settler, &link_settler_ops, link);
	pthread_mutex_init(&link->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&link->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	int r = open_descriptors(link);
	if (r < 0) {
		destroy(link);
		return error_set(err, ERROR_CONNECTION, "cannot open an epoll descriptor: %s", strerror(-r));
	}
	*out = link;
	return 0;
}

int amqp_link_add_consumer(struct amqp_link *link, const struct amqp_consumer_settings *settings)
{
	if (link->started)
		return -EBUSY;
	if (settings->prefetch == 0 || strlen(settings->queue) >= ENVELOPE_SHORT_SIZE)
		return -EINVAL;
	if (link->consumer_count == LINK_MAX_CONSUMERS)
		return -ENOSPC;
	consumer_init(&link->consumers[link->consumer_count], link->consumer_count, settings);
	return (int)link->consumer_count++;
}

int amqp_link_start(struct amqp_link *link, struct error *err)
{
	int64_t limit_ms = (int64_t)link->settings.heartbeat_s * 1000 * HANGING_HEARTBEATS;
	int r = watchdog_start(&link->watchdog, limit_ms);

	if (r < 0)
		return error_set(err, ERROR_CONNECTION, "cannot start a thread: %s", strerror(-r));
	/* Others may ask for the status before the thread is up. */
	pthread_mutex_lock(&link->lock);
	link->last_turn_ms = clock_monotonic_ms();
	link->last_frame_ms = link->last_turn_ms;
	pthread_mutex_unlock(&link->lock);
	r = thread_start(&link->thread, link_loop, link);
	if (r < 0) {
		watchdog_stop(&link->watchdog);
		return error_set(err, ERROR_CONNECTION, "cannot start a thread: %s", strerror(-r));
	}
	link->started = true;
	return 0;
}

/* --- waiting --- */

void link_wake(struct amqp_link *link)
{
	if (link->woken)
		return;
	link->woken = true;
	wakeup_signal(link->wake_fd);
}

/* Waits for a change, at most until `until_ms` (and never long). False when that has passed. Under the lock. */
static bool wait_change(struct amqp_link *link, int64_t until_ms)
{
	int64_t left = until_ms - clock_monotonic_ms();

	if (left <= 0)
		return false;
	struct timespec until = clock_timespec_in_ms(left < STOP_POLL_MS ? left : STOP_POLL_MS);
	pthread_cond_timedwait(&link->changed, &link->lock, &until);
	return true;
}

static bool is_consuming(const struct amqp_link *link)
{
	for (unsigned i = 0; i < link->consumer_count; i++)
		if (link->consumers[i].wanted && link->consumers[i].shown != CONSUMER_RUNNING)
			return false;
	return link->up;
}

static bool is_idle(const struct amqp_link *link)
{
	for (unsigned i = 0; i < link->consumer_count; i++)
		if (link->consumers[i].shown != CONSUMER_IDLE)
			return false;
	return true;
}

int amqp_link_wait_ready(struct amqp_link *link, int64_t timeout_ms, struct error *err)
{
	int64_t until_ms = clock_monotonic_ms() + timeout_ms;
	int r = 0;

	pthread_mutex_lock(&link->lock);
	while (!is_consuming(link)) {
		bool given_up = link->fatal || stop_requested() || link->stopping;
		if (!given_up && wait_change(link, until_ms))
			continue;
		if (error_is_set(&link->last_error)) {
			if (err)
				*err = link->last_error;
			r = error_errno(&link->last_error);
		} else {
			r = error_set(err, ERROR_CONNECTION, "no connection to the broker %s",
				      given_up ? "before the program was stopped" : "in time");
		}
		break;
	}
	pthread_mutex_unlock(&link->lock);
	return r;
}

int amqp_link_wait_room(struct amqp_link *link, int64_t timeout_ms)
{
	int64_t until_ms = clock_monotonic_ms() + timeout_ms;
	int r = 0;

	pthread_mutex_lock(&link->lock);
	while (r == 0 && (link->stopping || link->unconfirmed >= link->capacity)) {
		if (link->stopping)
			r = -ESHUTDOWN;
		else if (!wait_change(link, until_ms))
			r = -ETIMEDOUT;
	}
	pthread_mutex_unlock(&link->lock);
	return r;
}

int amqp_link_wait_confirms(struct amqp_link *link, int64_t timeout_ms)
{
	int64_t until_ms = clock_monotonic_ms() + timeout_ms;
	int r = 0;

	pthread_mutex_lock(&link->lock);
	while (r == 0 && link->unconfirmed > 0)
		if (!wait_change(link, until_ms))
			r = -ETIMEDOUT;
	pthread_mutex_unlock(&link->lock);
	return r;
}

/* --- publishing and consuming --- */

static int accept_publication(struct amqp_link *link, struct publication *item)
{
	int r = 0;

	pthread_mutex_lock(&link->lock);
	if (link->stopping) {
		r = -ESHUTDOWN;
	} else if (link->unconfirmed >= link->capacity) {
		r = -EAGAIN;
	} else {
		link->unconfirmed++;
		TAILQ_INSERT_TAIL(&link->inbox, item, entry);
		link_wake(link);
	}
	pthread_mutex_unlock(&link->lock);
	return r;
}

int amqp_link_publish(struct amqp_link *link, struct amqp_message *message, amqp_outcome_fn *done, void *arg)
{
	struct publication *item = NULL;
	int r = message->body_size > JOB_MAX_ENCODED_BYTES ? -EMSGSIZE : 0;

	if (r == 0) {
		item = malloc(sizeof(*item));
		r = item ? 0 : -ENOMEM;
	}
	if (r == 0) {
		*item = (struct publication){.message = message, .done = done, .arg = arg};
		r = accept_publication(link, item);
	}
	if (r < 0) {
		free(item);
		amqp_message_free(message);
	}
	return r;
}

/* Room for one more wish; false when memory is out. */
static bool grow_wishes(struct amqp_link *link)
{
	if (link->wish_count < link->wish_capacity)
		return true;
	size_t capacity = link->wish_capacity ? 2 * link->wish_capacity : 64;
	struct settlement *more = realloc(link->wishes, capacity * sizeof(*more));
	if (!more)
		return false;
	link->wishes = more;
	link->wish_capacity = capacity;
	return true;
}

void amqp_link_settle(struct amqp_link *link, struct amqp_tag tag, enum amqp_settlement settlement)
{
	pthread_mutex_lock(&link->lock);
	/* Without memory the delivery stays open, and is delivered again after this connection. */
	if (link->up && tag.generation == link->generation && grow_wishes(link)) {
		link->wishes[link->wish_count++] = (struct settlement){tag.delivery, settlement};
		link_wake(link);
	}
	pthread_mutex_unlock(&link->lock);
}

void amqp_link_pause(struct amqp_link *link, unsigned consumer)
{
	pthread_mutex_lock(&link->lock);
	link->consumers[consumer].wanted = false;
	link_wake(link);
	pthread_mutex_unlock(&link->lock);
}

void amqp_link_resume(struct amqp_link *link, unsigned consumer, uint16_t prefetch)
{
	pthread_mutex_lock(&link->lock);
	link->consumers[consumer].wanted = true;
	if (prefetch > 0)
		link->consumers[consumer].prefetch = prefetch;
	link_wake(link);
	pthread_mutex_unlock(&link->lock);
}

int amqp_link_drain(struct amqp_link *link, int64_t timeout_ms)
{
	int64_t until_ms = clock_monotonic_ms() + timeout_ms;
	int r = 0;

	pthread_mutex_lock(&link->lock);
	for (unsigned i = 0; i < link->consumer_count; i++)
		link->consumers[i].wanted = false;
	link_wake(link);
	/* A turn that began before this may still be starting a consumer: wait for one that began after. */
	uint64_t before = link->taken_turn;
	link->draining++;
	while (r == 0 && link->up && (link->shown_turn <= before || !is_idle(link)))
		if (!wait_change(link, until_ms))
			r = -ETIMEDOUT;
	link->draining--;
	pthread_mutex_unlock(&link->lock);
	return r;
}

void amqp_link_status(struct amqp_link *link, struct amqp_link_status *out)
{
	int64_t now = clock_monotonic_ms();

	pthread_mutex_lock(&link->lock);
	*out = (struct amqp_link_status){
	    .connected = link->up,
	    .consuming = is_consuming(link),
	    .blocked = link->blocked,
	    .silent_ms = now - link->last_frame_ms,
	    .loop_silent_ms = now - link->last_turn_ms,
	    .generation = link->generation,
	    .unconfirmed = link->unconfirmed,
	    .last_error = link->last_error,
	};
	pthread_mutex_unlock(&link->lock);
}

/* --- the end --- */

/* Waits for the thread; when it hangs in the network, cuts the connection. */
static void join(struct amqp_link *link)
{
	int64_t until_ms = clock_monotonic_ms() + FREE_TIMEOUT_MS;

	pthread_mutex_lock(&link->lock);
	while (!link->finished) {
		if (!wait_change(link, until_ms)) {
			watchdog_cut(&link->watchdog);
			until_ms = clock_monotonic_ms() + STOP_POLL_MS;
		}
	}
	pthread_mutex_unlock(&link->lock);
	pthread_join(link->thread, NULL);
	watchdog_stop(&link->watchdog);
}

void amqp_link_stop(struct amqp_link *link)
{
	if (!link)
		return;
	pthread_mutex_lock(&link->lock);
	link->stopping = true;
	link_wake(link);
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
	if (link->started)
		join(link);
	link->started = false;
	/* Whoever called for a message has to hear of it, even if the thread never ran. */
	publisher_accept(&link->publisher, &link->inbox);
	publisher_finish(&link->publisher);
}

void amqp_link_free(struct amqp_link *link)
{
	if (!link)
		return;
	amqp_link_stop(link);
	destroy(link);
}
