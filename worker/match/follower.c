#include "follower.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "obs/log.h"

struct follower {
	struct follower_settings settings;
	struct store *store; /* NULL until it could be opened */
	pthread_t thread;
	bool running;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
	uint64_t heard; /* the newest version somebody told of */
	struct error failure;
	bool in_trouble; /* said so in the log */
};

static double read_users(void *arg)
{
	return (double)galleries_size(arg).users;
}

static double read_images(void *arg)
{
	return (double)galleries_size(arg).images;
}

static double read_bytes(void *arg)
{
	return (double)galleries_size(arg).bytes;
}

static double read_version(void *arg)
{
	return (double)galleries_version(arg);
}

static void register_gauges(const struct follower_settings *s)
{
	metrics_gauge_callback(s->metrics, "facefleet_gallery_users", "Enrolled users that can be searched.", NULL,
			       read_users, s->galleries);
	metrics_gauge_callback(s->metrics, "facefleet_gallery_images", "Enrolled images that can be searched.", NULL,
			       read_images, s->galleries);
	metrics_gauge_callback(s->metrics, "facefleet_gallery_bytes", "Memory of the galleries.", NULL, read_bytes,
			       s->galleries);
	metrics_gauge_callback(s->metrics, "facefleet_gallery_version", "Version of the store that can be searched.",
			       NULL, read_version, s->galleries);
}

/* Copies from before do not count any more. Who made the change has told Redis. */
static int on_seen(void *arg, const char *collection, const char *user_id, uint64_t version)
{
	struct follower *f = arg;

	return people_cache_know(f->settings.cache, collection, user_id, version);
}

static int follow(struct follower *f, struct error *err)
{
	int r = f->store ? 0 : store_open(&f->store, &f->settings.store, err);

	return r < 0 ? r : galleries_follow(f->settings.galleries, f->store, on_seen, f, err);
}

/* Says once that the store is out of reach, and once that it is back. */
static void report(struct follower *f, int r, const struct error *err)
{
	if (r < 0 && !f->in_trouble)
		log_warning(NULL, "the store cannot be followed; searches use what is known", LOG_ERROR_FIELDS(err));
	else if (r == 0 && f->in_trouble)
		log_info(NULL, "the store is followed again");
	f->in_trouble = r < 0;
}

/* Waits until there is something to do; false: to end. */
static bool wait_for_work(struct follower *f)
{
	int64_t until_ns = clock_monotonic_ns() + f->settings.poll_ms * 1000000;
	const struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};

	pthread_mutex_lock(&f->lock);
	while (!f->stopping && f->heard <= galleries_version(f->settings.galleries) &&
	       pthread_cond_timedwait(&f->wake, &f->lock, &until) == 0)
		;
	/* A store that is behind what was heard (a replica, or trouble) is asked again at the next poll, not at once.
	 */
	f->heard = 0;
	bool go_on = !f->stopping;
	pthread_mutex_unlock(&f->lock);
	return go_on;
}

static void *run(void *arg)
{
	struct follower *f = arg;

	thread_set_name("follower");
	while (wait_for_work(f)) {
		struct error err = {0};
		int r = follow(f, &err);

		report(f, r, &err);
		if (r == 0 || err.class != ERROR_CLASS_FATAL)
			continue;
		pthread_mutex_lock(&f->lock);
		f->failure = err;
		pthread_mutex_unlock(&f->lock);
		break;
	}
	return NULL;
}

static void make_wake(struct follower *f)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&f->lock, NULL);
}

int follower_start(struct follower **out, const struct follower_settings *settings, struct error *err)
{
	struct follower *f = calloc(1, sizeof(*f));
	struct error why = {0};

	if (!f)
		return error_set(err, ERROR_INTERNAL, "no memory to follow the store");
	f->settings = *settings;
	make_wake(f);
	int r = follow(f, &why);
	report(f, r, &why);
	if (r < 0 && why.class == ERROR_CLASS_FATAL) {
		*err = why;
		follower_stop(f);
		return r;
	}
	register_gauges(settings);
	r = thread_start(&f->thread, run, f);
	f->running = r == 0;
	if (r < 0) {
		follower_stop(f);
		return error_set(err, ERROR_INTERNAL, "no thread to follow the store");
	}
	*out = f;
	return 0;
}

void follower_hear(struct follower *f, uint64_t version)
{
	pthread_mutex_lock(&f->lock);
	if (version > f->heard)
		f->heard = version;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

bool follower_failed(struct follower *f, struct error *err)
{
	pthread_mutex_lock(&f->lock);
	bool failed = error_is_set(&f->failure);
	if (failed)
		*err = f->failure;
	pthread_mutex_unlock(&f->lock);
	return failed;
}

void follower_stop(struct follower *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stopping = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	if (f->running)
		pthread_join(f->thread, NULL);
	store_close(f->store);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
