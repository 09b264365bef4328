#include "store/central_follower.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "obs/log.h"
#include "store/central_set.h"

#define LOOK_MS 2000

struct central_follower {
	struct store_settings settings; /* with a URL of our own */
	const char *name;
	struct reload *reload;
	pthread_t thread;
	bool has_thread;

	/* The thread's. */
	struct store *store;
	uint64_t revision; /* that was handed on */
	bool is_away;      /* said so */

	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool knocked;
	bool stopping;
};

/* One that this release does not know, or knows otherwise, is left out: the others still count. */
static bool is_usable(const struct config_central *setting)
{
	struct error err;

	if (config_check_central(setting->key, setting->value, &err) == 0)
		return true;
	log_warning(NULL, "a setting that the fleet shares is left out", LOG_ERROR_FIELDS(&err));
	return false;
}

static int hand_on(struct central_follower *f, struct error *err)
{
	struct config_central settings[CENTRAL_MAX];
	struct central_set *set = calloc(1, sizeof(*set));
	unsigned usable = 0;

	if (!set)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	int r = central_set_read(set, f->store, err);
	unsigned count = r == 0 ? central_set_pick(set, f->name, settings) : 0;
	for (unsigned i = 0; i < count; i++)
		if (is_usable(&settings[i]))
			settings[usable++] = settings[i];
	if (r == 0 && reload_set_central(f->reload, settings, usable) < 0)
		r = error_set(err, ERROR_INTERNAL, "out of memory");
	central_set_finish(set);
	free(set);
	return r;
}

static int look(struct central_follower *f, struct error *err)
{
	uint64_t revision = 0;
	int r = f->store ? 0 : store_open(&f->store, &f->settings, err);

	if (r == 0)
		r = central_revision(f->store, &revision, err);
	if (r < 0 || revision == f->revision)
		return r;
	/* What changes between the two is handed on now, and again at the next look. */
	r = hand_on(f, err);
	if (r == 0)
		f->revision = revision;
	return r;
}

static void look_and_say(struct central_follower *f)
{
	struct error err = {0};
	int r = look(f, &err);

	if (r < 0 && !f->is_away)
		log_warning(NULL, "the settings that the fleet shares cannot be read; what is known holds",
			    LOG_ERROR_FIELDS(&err));
	else if (r == 0 && f->is_away)
		log_info(NULL, "the settings that the fleet shares are followed again");
	f->is_away = r < 0;
}

/* Until somebody knocks or it is time. False: the end. */
static bool wait(struct central_follower *f)
{
	struct timespec until = clock_timespec_in_ms(LOOK_MS);
	int r = 0;

	pthread_mutex_lock(&f->lock);
	while (r == 0 && !f->knocked && !f->stopping)
		r = pthread_cond_timedwait(&f->wake, &f->lock, &until);
	f->knocked = false;
	bool go_on = !f->stopping;
	pthread_mutex_unlock(&f->lock);
	return go_on;
}

static void *follow(void *arg)
{
	struct central_follower *f = arg;

	thread_set_name("settings");
	while (wait(f))
		look_and_say(f);
	return NULL;
}

static struct central_follower *make(const struct store_settings *settings, struct reload *reload, const char *name)
{
	struct central_follower *f = calloc(1, sizeof(*f));
	pthread_condattr_t attributes;

	if (!f)
		return NULL;
	f->settings = *settings;
	f->settings.url = strdup(settings->url);
	f->name = name;
	f->reload = reload;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	if (f->settings.url)
		return f;
	central_follower_stop(f);
	return NULL;
}

int central_follower_start(struct central_follower **out, struct program *program, const char *name, struct error *err)
{
	struct store_settings settings;

	if (store_settings_from_config(&settings, program->config, NULL) < 0)
		return 0;
	struct central_follower *f = make(&settings, program->reload, name);
	if (!f)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	look_and_say(f);
	program_settle(program);
	if (thread_start(&f->thread, follow, f) < 0) {
		central_follower_stop(f);
		return error_set(err, ERROR_INTERNAL, "no thread for the settings");
	}
	f->has_thread = true;
	*out = f;
	return 0;
}

static void knock(struct central_follower *f, bool stop)
{
	pthread_mutex_lock(&f->lock);
	f->knocked = true;
	f->stopping = f->stopping || stop;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

void central_follower_hear(struct central_follower *f)
{
	if (f)
		knock(f, false);
}

void central_follower_stop(struct central_follower *f)
{
	if (!f)
		return;
	if (f->has_thread) {
		knock(f, true);
		pthread_join(f->thread, NULL);
	}
	store_close(f->store);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	free((char *)f->settings.url);
	free(f);
}
