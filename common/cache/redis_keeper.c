/* The thread that opens, looks after and closes a client's connections. */
#include <poll.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/thread.h"
#include "base/wakeup.h"
#include "cache/redis_private.h"

enum {
	OPEN_MS = 2000,       /* to connect and log in */
	PING_AFTER_MS = 5000, /* of a connection that nobody uses */
	PING_MS = 1000,
	RETRY_FIRST_MS = 100,
	RETRY_MAX_MS = 2000
};

static int64_t in_ms(int64_t ms)
{
	return clock_monotonic_ns() + ms * 1000000;
}

/* Waits double, each is drawn from its upper half, so that a fleet spreads out. With the lock held. */
static void retry_later(struct redis *r)
{
	int64_t wait = RETRY_FIRST_MS;

	for (unsigned i = 0; i < r->failures && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	if (wait > RETRY_MAX_MS)
		wait = RETRY_MAX_MS;
	r->failures++;
	r->retry_at_ms = clock_monotonic_ms() + random_between(wait / 2, wait);
}

/* What broke is closed. With the lock held. */
static void close_broken(struct redis *r)
{
	bool any = false;

	for (unsigned i = 0; i < r->slot_count; i++) {
		if (r->slots[i].state != SLOT_BROKEN)
			continue;
		redis_link_close(&r->slots[i].link);
		redis_set_state(r, &r->slots[i], SLOT_EMPTY);
		any = true;
	}
	if (any && r->retry_at_ms <= clock_monotonic_ms())
		retry_later(r);
}

/* With the lock held, which is let go meanwhile. */
static void open_one(struct redis *r, struct redis_slot *slot)
{
	struct error err;

	pthread_mutex_unlock(&r->lock);
	int opened = redis_link_open(&slot->link, &r->url, in_ms(OPEN_MS), r->stop_fd, &err);
	pthread_mutex_lock(&r->lock);
	if (opened == 0) {
		redis_set_state(r, slot, SLOT_IDLE);
	} else if (!r->stopping) {
		redis_note_failure(r, NULL, err.text);
		retry_later(r);
	}
}

/* The same. */
static void ping_one(struct redis *r, struct redis_slot *slot)
{
	redis_set_state(r, slot, SLOT_BUSY);
	pthread_mutex_unlock(&r->lock);
	bool alive = redis_link_is_alive(&slot->link, in_ms(PING_MS), r->stop_fd);
	pthread_mutex_lock(&r->lock);
	redis_set_state(r, slot, alive ? SLOT_IDLE : SLOT_BROKEN);
	if (alive)
		redis_note_success(r);
	else if (!r->stopping)
		redis_note_failure(r, NULL, "an idle connection no longer answers");
}

/* Does what is due, one thing at a time; returns how long nothing more is. With the lock held. */
static int64_t tend(struct redis *r)
{
	int64_t next = INT64_MAX;

	close_broken(r);
	for (unsigned i = 0; i < r->slot_count && !r->stopping; i++) {
		struct redis_slot *slot = &r->slots[i];
		int64_t due = slot->state == SLOT_EMPTY  ? r->retry_at_ms
			      : slot->state == SLOT_IDLE ? slot->used_ms + PING_AFTER_MS
							 : INT64_MAX;
		if (due <= clock_monotonic_ms()) {
			if (slot->state == SLOT_EMPTY)
				open_one(r, slot);
			else
				ping_one(r, slot);
			return 0;
		}
		if (due < next)
			next = due;
	}
	int64_t wait = next == INT64_MAX ? PING_AFTER_MS : next - clock_monotonic_ms();
	return wait < 0 ? 0 : wait;
}

/* The end of an idle connection wakes, its answers (somebody took it meanwhile) do not. With the lock held. */
static unsigned watched(struct redis *r, struct pollfd *fds, struct redis_slot **slots)
{
	unsigned count = 0;

	fds[count++] = (struct pollfd){.fd = r->wake_fd, .events = POLLIN};
	fds[count++] = (struct pollfd){.fd = r->stop_fd, .events = POLLIN};
	for (unsigned i = 0; i < r->slot_count; i++) {
		if (r->slots[i].state != SLOT_IDLE)
			continue;
		slots[count] = &r->slots[i];
		fds[count++] = (struct pollfd){.fd = r->slots[i].link.fd, .events = POLLRDHUP};
	}
	return count;
}

/* With the lock held, which is let go meanwhile. */
static void rest(struct redis *r, int64_t ms)
{
	struct redis_slot *slots[2 + REDIS_MAX_CONNECTIONS];
	struct pollfd fds[2 + REDIS_MAX_CONNECTIONS];
	unsigned count = watched(r, fds, slots);

	pthread_mutex_unlock(&r->lock);
	int n = poll(fds, count, (int)ms);
	wakeup_clear(r->wake_fd);
	pthread_mutex_lock(&r->lock);
	/* One that a caller has taken is the caller's to find broken. */
	for (unsigned i = 2; i < count && n > 0; i++) {
		if (fds[i].revents && slots[i]->state == SLOT_IDLE) {
			redis_set_state(r, slots[i], SLOT_BROKEN);
			redis_note_failure(r, NULL, "the server has closed the connection");
		}
	}
}

void *redis_keeper_main(void *redis)
{
	struct redis *r = redis;

	thread_set_name("redis");
	pthread_mutex_lock(&r->lock);
	while (!r->stopping) {
		int64_t wait = tend(r);
		if (wait > 0 && !r->stopping)
			rest(r, wait);
	}
	r->ended = true;
	bool abandoned = r->abandoned;
	pthread_cond_signal(&r->ended_now);
	pthread_mutex_unlock(&r->lock);
	if (abandoned)
		redis_destroy(r);
	return NULL;
}
