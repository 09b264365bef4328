#include "cache/single_flight.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* How soon a waiting caller sees that it was cancelled: nobody wakes it for that. */
enum { LOOK_MS = 10 };

/* One computation. It leaves the list when it is done; whoever lets go of it last frees it. */
struct flight {
	struct flight *next;
	unsigned users;
	bool done;
	bool in_vain; /* the computing one's time was over */
	int result;
	struct error err;
	struct buffer value;
	size_t key_size;
	uint8_t key[];
};

struct single_flight {
	pthread_mutex_t lock;
	pthread_cond_t landed;
	struct flight *flights; /* no more than there are threads: a list will do */
	unsigned waiting;
};

struct single_flight *single_flight_new(void)
{
	struct single_flight *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->landed, &attr);
	pthread_condattr_destroy(&attr);
	return s;
}

void single_flight_free(struct single_flight *s)
{
	if (!s)
		return;
	pthread_cond_destroy(&s->landed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct flight *find(struct single_flight *s, const void *key, size_t key_size)
{
	struct flight *f = s->flights;

	while (f && (f->key_size != key_size || memcmp(f->key, key, key_size) != 0))
		f = f->next;
	return f;
}

static struct flight *begin(struct single_flight *s, const void *key, size_t key_size)
{
	struct flight *f = calloc(1, sizeof(*f) + key_size);

	if (!f)
		return NULL;
	memcpy(f->key, key, key_size);
	f->key_size = key_size;
	f->users = 1;
	f->next = s->flights;
	s->flights = f;
	return f;
}

static void let_go(struct flight *f)
{
	if (--f->users > 0)
		return;
	buffer_finish(&f->value);
	free(f);
}

static void land(struct single_flight *s, struct flight *f, int result)
{
	struct flight **at = &s->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->result = result;
	f->done = true;
	pthread_cond_broadcast(&s->landed);
}

/* The computing one gave up for reasons of its own. */
static bool is_private(const struct flight *f)
{
	return f->in_vain ||
	       (f->result < 0 && (f->err.code == ERROR_CANCELLED || f->err.code == ERROR_DEADLINE_EXCEEDED ||
				  f->err.code == ERROR_ATTEMPT_TIMEOUT));
}

/* With the lock held. */
static int wait_for(const struct context *ctx, struct single_flight *s, struct flight *f, struct error *err)
{
	int r = 0;

	f->users++;
	s->waiting++;
	while (!f->done && (r = context_check(ctx, "cache", err)) == 0) {
		struct timespec until = clock_timespec_in_ms(context_remaining_ms(ctx, LOOK_MS));
		pthread_cond_timedwait(&s->landed, &s->lock, &until);
	}
	s->waiting--;
	return r;
}

/* What a caller takes from a flight that landed. */
static int take(const struct flight *f, struct buffer *out, struct error *err)
{
	if (f->result < 0) {
		if (err)
			*err = f->err;
		return f->result;
	}
	if (buffer_append(out, f->value.data, f->value.size) < 0)
		return error_set(err, ERROR_INTERNAL, "cache: out of memory");
	return 0;
}

int single_flight_do(const struct context *ctx, struct single_flight *s, const void *key, size_t key_size,
		     single_flight_fn *fn, void *arg, struct buffer *out, bool *shared, struct error *err)
{
	struct flight *f;
	int r = 0;

	if (shared)
		*shared = false;
	pthread_mutex_lock(&s->lock);
	while ((f = find(s, key, key_size))) {
		r = wait_for(ctx, s, f, err);
		bool again = r == 0 && is_private(f);
		if (r == 0 && !again) {
			r = take(f, out, err);
			if (shared)
				*shared = true;
		}
		let_go(f);
		if (!again) {
			pthread_mutex_unlock(&s->lock);
			return r;
		}
	}
	f = begin(s, key, key_size);
	pthread_mutex_unlock(&s->lock);
	if (!f)
		return error_set(err, ERROR_INTERNAL, "cache: out of memory");

	r = fn(arg, &f->value, &f->err);
	/* Whatever it failed with, more time might have helped. */
	bool in_vain = r < 0 && context_check(ctx, "cache", NULL) < 0;
	pthread_mutex_lock(&s->lock);
	f->in_vain = in_vain;
	land(s, f, r);
	r = take(f, out, err);
	let_go(f);
	pthread_mutex_unlock(&s->lock);
	return r;
}

unsigned single_flight_waiting(struct single_flight *s)
{
	pthread_mutex_lock(&s->lock);
	unsigned waiting = s->waiting;
	pthread_mutex_unlock(&s->lock);
	return waiting;
}
