#include "obs/reload.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/hangup.h"
#include "config/handover.h"
#include "config/reload.h"
#include "obs/log.h"

/* How often the file is looked at; and so how long it must have stayed as it is, for a file that is being written can
 * look like one that is complete. */
#define LOOK_MS 1000

/* What tells a file that was replaced or written to from the one before. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

/* Settings of the fleet, with strings of their own. */
struct shared {
	unsigned count;
	struct config_central settings[];
};

struct reload {
	struct config_sources sources;
	struct shared *shared; /* what the sources name */
	pthread_mutex_t lock;
	struct shared *next; /* of another thread; not taken over yet */
	const struct config *now;
	struct config *owned;   /* `now`, unless that is still what the program began with */
	struct stamp read;      /* of the file, when it was last read */
	struct stamp seen;      /* when it was last looked at */
	int64_t look_ms;        /* the next look */
	unsigned changes;       /* of the reload under way, without those that need a restart */
	reload_check_fn *check; /* NULL: nobody asks */
	void *check_arg;
	struct metric *applied;
	struct metric *unchanged;
	struct metric *refused;
};

/* --- has the file changed --- */

/* False if there is no file: one that is just being replaced is not there, and none is no reason to forget what it
 * said. */
static bool stamp_take(struct stamp *stamp, const struct config_sources *sources)
{
	const char *path = config_path(sources);
	struct stat status;

	if (!path || stat(path, &status) < 0)
		return false;
	*stamp = (struct stamp){status.st_dev, status.st_ino, status.st_size, status.st_mtim};
	return true;
}

static bool stamp_equals(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static bool file_has_changed(struct reload *reload)
{
	int64_t now_ms = clock_monotonic_ms();
	struct stamp stamp;

	if (now_ms < reload->look_ms)
		return false;
	reload->look_ms = now_ms + LOOK_MS;
	if (!stamp_take(&stamp, &reload->sources))
		return false;
	bool settled = stamp_equals(&stamp, &reload->seen);
	reload->seen = stamp;
	return settled && !stamp_equals(&stamp, &reload->read);
}

/* --- what the fleet shares --- */

static void shared_free(struct shared *shared)
{
	for (unsigned i = 0; shared && i < shared->count; i++) {
		free((char *)shared->settings[i].key);
		free((char *)shared->settings[i].value);
		free((char *)shared->settings[i].place);
	}
	free(shared);
}

static struct shared *shared_new(const struct config_central *settings, unsigned count)
{
	struct shared *shared = calloc(1, sizeof(*shared) + count * sizeof(shared->settings[0]));
	bool complete = shared != NULL;

	for (unsigned i = 0; complete && i < count; i++) {
		struct config_central *copy = &shared->settings[shared->count++];

		copy->key = strdup(settings[i].key);
		copy->value = strdup(settings[i].value);
		copy->place = strdup(settings[i].place);
		complete = copy->key && copy->value && copy->place;
	}
	if (complete)
		return shared;
	shared_free(shared);
	return NULL;
}

int reload_set_central(struct reload *reload, const struct config_central *settings, unsigned count)
{
	struct shared *shared = shared_new(settings, count);

	if (!shared)
		return -ENOMEM;
	pthread_mutex_lock(&reload->lock);
	struct shared *old = reload->next;
	reload->next = shared;
	pthread_mutex_unlock(&reload->lock);
	shared_free(old);
	return 0;
}

static void use_shared(struct reload *reload, struct shared *shared)
{
	shared_free(reload->shared);
	reload->shared = shared;
	reload->sources.central = shared->settings;
	reload->sources.central_count = shared->count;
}

/* True if there was something new. */
static bool take_shared(struct reload *reload)
{
	pthread_mutex_lock(&reload->lock);
	struct shared *next = reload->next;
	reload->next = NULL;
	pthread_mutex_unlock(&reload->lock);
	if (!next)
		return false;
	use_shared(reload, next);
	return true;
}

/* --- reading it --- */

static void note_change(void *arg, const struct config_change *change)
{
	struct reload *reload = arg;
	const struct log_field fields[] = {
	    log_string("key", change->key),
	    log_string("before", change->before),
	    log_string("after", change->after),
	    log_string("source", change->source),
	    {0},
	};

	if (change->change == OPTION_RESTARTS) {
		log_write(LOG_LEVEL_WARNING, NULL, "a setting changed that needs a restart", fields);
		return;
	}
	reload->changes++;
	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	/* Others than workers name it too: it says what becomes of it there. */
	log_write(LOG_LEVEL_INFO, NULL,
		  change->change == OPTION_RENEWS ? "a setting changed for which workers renew themselves"
						  : "a setting changed",
		  fields);
}

/* What is the same in every program. */
static void apply(const struct config *config)
{
	enum log_level level;

	if (log_level_from_name(config_string(config, OPTION_LOG_LEVEL), &level) == 0)
		log_set_level(level);
	scene_use(config_scenes(config));
}

/* Reads, checks, says what is new. */
static int load_next(struct reload *reload, struct config **out, bool asked, struct error *err)
{
	struct config *config = NULL;
	int r = config_load(&config, &reload->sources, err);

	if (r == 0 && reload->check)
		r = reload->check(reload->check_arg, config, asked, err);
	if (r == 0) {
		config_compare(reload->now, config, note_change, reload);
		r = config_keep(config, reload->now, err);
	}
	if (r < 0) {
		config_free(config);
		return r;
	}
	*out = config;
	return 0;
}

/* A file that was read once is missed when it is gone: without it, all that it says would be forgotten. */
static void know_file(struct reload *reload)
{
	reload->sources.path = config_path(&reload->sources);
}

static const struct config *read_again(struct reload *reload, bool asked)
{
	struct config *config = NULL;
	struct error err = {0};

	reload->changes = 0;
	if (stamp_take(&reload->read, &reload->sources))
		reload->seen = reload->read;
	if (load_next(reload, &config, asked, &err) < 0) {
		log_error(NULL, "the settings cannot be read again; the old ones hold", LOG_ERROR_FIELDS(&err));
		metric_add(reload->refused, 1);
		return NULL;
	}
	know_file(reload);
	if (reload->changes == 0) {
		log_info(NULL, "settings read again, nothing to change");
		metric_add(reload->unchanged, 1);
		config_free(config);
		return NULL;
	}
	apply(config);
	metric_add(reload->applied, 1);
	config_free(reload->owned);
	reload->owned = config;
	reload->now = config;
	return config;
}

const struct config *reload_poll(struct reload *reload)
{
	bool asked = hangup_take();
	bool told = take_shared(reload);

	return asked || told || file_has_changed(reload) ? read_again(reload, asked) : NULL;
}

void reload_set_check(struct reload *reload, reload_check_fn *check, void *arg)
{
	reload->check = check;
	reload->check_arg = arg;
}

int reload_continue(struct reload *reload, const struct config_central *shared, unsigned count)
{
	struct shared *copy = shared_new(shared, count);

	if (!copy)
		return -ENOMEM;
	use_shared(reload, copy);
	reload->read = reload->seen = (struct stamp){0};
	return 0;
}

int reload_hand_over(const struct reload *reload)
{
	return handover_leave(reload->now, reload->sources.central, reload->sources.central_count);
}

struct config *reload_release(struct reload *reload)
{
	struct config *config = reload->owned;

	reload->owned = NULL;
	return config;
}

/* --- making --- */

static struct metric *make_counter(struct metrics *metrics, const char *outcome)
{
	const char *const labels[] = {"outcome", outcome, NULL};

	return metrics_counter(metrics, "facefleet_config_reloads_total",
			       "Times that the settings were read again, by what came of it.", labels);
}

struct reload *reload_new(const struct config *config, const struct config_sources *sources, struct metrics *metrics)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (!reload)
		return NULL;
	reload->sources = *sources;
	know_file(reload);
	pthread_mutex_init(&reload->lock, NULL);
	reload->now = config;
	reload->applied = make_counter(metrics, "applied");
	reload->unchanged = make_counter(metrics, "unchanged");
	reload->refused = make_counter(metrics, "refused");
	if (stamp_take(&reload->read, sources))
		reload->seen = reload->read;
	return reload;
}

void reload_free(struct reload *reload)
{
	if (!reload)
		return;
	pthread_mutex_destroy(&reload->lock);
	shared_free(reload->shared);
	shared_free(reload->next);
	config_free(reload->owned);
	free(reload);
}
