#include "registry.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "obs/log.h"

struct known {
	char *prefix;
	char *reason; /* NULL: it is on */
	struct signature_keys *keys;
};

/* What the store said at one moment. Belongs to one thread at a time. */
struct snapshot {
	size_t count;
	size_t damaged;
	struct known known[ENDPOINTS_MAX];
};

/* An endpoint that is off, which the store may not know yet. */
struct gone {
	char prefix[ENDPOINTS_PREFIX_SIZE];
	char reason[ENDPOINTS_REASON_SIZE];
	bool told; /* the store knows, but the next snapshot is not made */
};

struct registry {
	struct store_settings settings; /* with a URL of our own */
	int64_t refresh_ms;
	pthread_t thread;
	bool has_thread;

	/* The refreshing thread's. */
	struct store *store;
	bool is_away; /* said so */
	size_t damaged;

	/* The asking thread's. */
	struct snapshot *current;
	char reason[ENDPOINTS_REASON_SIZE]; /* of the last answer */

	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
	struct snapshot *next;               /* not seen by the asking thread yet */
	struct gone gone[REGISTRY_MAX_GONE]; /* one thread adds, the other removes */
	unsigned gone_count;
};

/* --- snapshots --- */

static void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->count; i++) {
		free(snapshot->known[i].prefix);
		free(snapshot->known[i].reason);
		signature_keys_free(snapshot->known[i].keys);
	}
	free(snapshot);
}

/* Both secrets while one replaces the other, the new one first. */
static int make_keys(struct known *known, const struct callback_endpoint *endpoint)
{
	char text[2 * ENDPOINTS_SECRET_SIZE];
	bool rotating = endpoints_is_rotating(endpoint, clock_unix_ms());
	struct error ignored;

	if (endpoint->secret[0] == '\0')
		return 0;
	snprintf(text, sizeof(text), "%s %s", endpoint->secret, rotating ? endpoint->old_secret : "");
	int r = signature_keys_new(&known->keys, text, &ignored);
	explicit_bzero(text, sizeof(text));
	return r;
}

static int add_endpoint(void *arg, const struct callback_endpoint *endpoint, struct error *err)
{
	struct snapshot *snapshot = arg;
	struct known *known = &snapshot->known[snapshot->count];

	if (snapshot->count == ENDPOINTS_MAX)
		return 0;
	*known = (struct known){.prefix = strdup(endpoint->prefix)};
	if (endpoint->disabled_at_ms != 0)
		known->reason = strdup(endpoint->reason);
	snapshot->count++;
	if (!known->prefix || (endpoint->disabled_at_ms != 0 && !known->reason))
		return error_set(err, ERROR_INTERNAL, "out of memory");
	if (make_keys(known, endpoint) != 0)
		snapshot->damaged++;
	return 0;
}

static const struct known *closest(const struct snapshot *snapshot, const char *url)
{
	const struct known *found = NULL;
	unsigned best = 0;

	for (size_t i = 0; snapshot && i < snapshot->count; i++) {
		unsigned fit = endpoints_fit(snapshot->known[i].prefix, url);
		if (fit > best) {
			best = fit;
			found = &snapshot->known[i];
		}
	}
	return found;
}

/* --- the refreshing thread --- */

static unsigned count_gone(struct registry *registry)
{
	pthread_mutex_lock(&registry->lock);
	unsigned count = registry->gone_count;
	pthread_mutex_unlock(&registry->lock);
	return count;
}

static int tell(struct registry *registry, unsigned number, struct error *err)
{
	struct gone gone;
	bool done;

	pthread_mutex_lock(&registry->lock);
	gone = registry->gone[number];
	pthread_mutex_unlock(&registry->lock);
	if (gone.told)
		return 0;
	int r = endpoints_disable(registry->store, gone.prefix, gone.reason, clock_unix_ms(), &done, err);
	if (r < 0)
		return r;
	if (!done)
		log_warning(NULL, "callback endpoint not disabled: it is already, or the store has too many",
			    log_string("endpoint", gone.prefix));
	pthread_mutex_lock(&registry->lock);
	registry->gone[number].told = true;
	pthread_mutex_unlock(&registry->lock);
	return 0;
}

/* Hands a snapshot over. What the store was told of is in it. */
static void publish(struct registry *registry, struct snapshot *snapshot)
{
	unsigned kept = 0;

	pthread_mutex_lock(&registry->lock);
	struct snapshot *unseen = registry->next;
	registry->next = snapshot;
	for (unsigned i = 0; i < registry->gone_count; i++)
		if (!registry->gone[i].told)
			registry->gone[kept++] = registry->gone[i];
	registry->gone_count = kept;
	pthread_mutex_unlock(&registry->lock);
	snapshot_free(unseen);
}

static int refresh(struct registry *registry, struct error *err)
{
	int r = registry->store ? 0 : store_open(&registry->store, &registry->settings, err);

	for (unsigned i = 0, count = count_gone(registry); r == 0 && i < count; i++)
		r = tell(registry, i, err);
	if (r < 0)
		return r;
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	r = endpoints_list(registry->store, add_endpoint, snapshot, err);
	if (r < 0) {
		snapshot_free(snapshot);
		return r;
	}
	if (snapshot->damaged > registry->damaged)
		log_error(NULL, "stored callback secrets are damaged: the common one is used",
			  log_integer("endpoints", (int64_t)snapshot->damaged));
	registry->damaged = snapshot->damaged;
	publish(registry, snapshot);
	return 0;
}

/* Says once that the store is away, and once that it is back. */
static void refresh_and_log(struct registry *registry)
{
	struct error err = {0};
	bool is_away = refresh(registry, &err) < 0;

	if (is_away && !registry->is_away)
		log_warning(NULL, "callback endpoints are not known: what was known before counts",
			    LOG_ERROR_FIELDS(&err));
	else if (!is_away && registry->is_away)
		log_info(NULL, "callback endpoints are known again");
	registry->is_away = is_away;
}

/* True when it is time for another refresh, false at the end. */
static bool await_turn(struct registry *registry)
{
	struct timespec until = clock_timespec_in_ms(registry->refresh_ms);
	int r = 0;

	pthread_mutex_lock(&registry->lock);
	while (!registry->stopping && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&registry->wake, &registry->lock, &until);
	bool stopping = registry->stopping;
	pthread_mutex_unlock(&registry->lock);
	return !stopping;
}

static void *run(void *arg)
{
	struct registry *registry = arg;

	thread_set_name("endpoints");
	while (await_turn(registry))
		refresh_and_log(registry);
	return NULL;
}

/* --- the asking thread --- */

/* With the lock. */
static const struct gone *closest_gone(const struct registry *registry, const char *url, unsigned at_least)
{
	for (unsigned i = 0; i < registry->gone_count; i++) {
		unsigned fit = endpoints_fit(registry->gone[i].prefix, url);
		if (fit > 0 && fit >= at_least)
			return &registry->gone[i];
	}
	return NULL;
}

static const struct known *find(struct registry *registry, const char *url)
{
	pthread_mutex_lock(&registry->lock);
	struct snapshot *next = registry->next;
	registry->next = NULL;
	pthread_mutex_unlock(&registry->lock);
	if (next) {
		snapshot_free(registry->current);
		registry->current = next;
	}
	return closest(registry->current, url);
}

void registry_look(struct registry *registry, const char *url, struct registry_entry *out)
{
	char begin[ENDPOINTS_PREFIX_SIZE - 1] = ""; /* no name is longer: what is behind tells none from another */
	char canonical[ENDPOINTS_PREFIX_SIZE];

	*out = (struct registry_entry){0};
	memcpy(begin, url, strnlen(url, sizeof(begin) - 1));
	if (!registry || endpoints_canonical(begin, canonical, NULL) < 0)
		return;
	const struct known *known = find(registry, canonical);
	if (known) {
		out->keys = known->keys;
		out->disabled = known->reason;
	}
	pthread_mutex_lock(&registry->lock);
	const struct gone *gone =
	    closest_gone(registry, canonical, known ? endpoints_fit(known->prefix, canonical) : 0);
	if (gone) {
		memcpy(registry->reason, gone->reason, sizeof(registry->reason));
		out->disabled = registry->reason;
	}
	pthread_mutex_unlock(&registry->lock);
}

bool registry_disable(struct registry *registry, const char *url, const char *reason)
{
	struct gone gone = {.told = false};
	struct registry_entry entry;

	registry_look(registry, url, &entry);
	if (!registry || endpoints_canonical(url, gone.prefix, NULL) < 0)
		return false;
	if (entry.disabled)
		return true;
	const struct known *known = find(registry, gone.prefix);
	if (known)
		snprintf(gone.prefix, sizeof(gone.prefix), "%s", known->prefix);
	snprintf(gone.reason, sizeof(gone.reason), "%s", reason);
	pthread_mutex_lock(&registry->lock);
	bool fits = registry->gone_count < REGISTRY_MAX_GONE;
	if (fits)
		registry->gone[registry->gone_count++] = gone;
	pthread_mutex_unlock(&registry->lock);
	return fits;
}

/* --- making --- */

static int init_wake(struct registry *registry)
{
	pthread_condattr_t attributes;

	if (pthread_condattr_init(&attributes) != 0)
		return -ENOMEM;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	int r = pthread_cond_init(&registry->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return -r;
}

struct registry *registry_new(const struct store_settings *settings, int64_t refresh_ms)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	char *url = strdup(settings->url);

	if (!registry || !url || init_wake(registry) < 0) {
		free(registry);
		free(url);
		return NULL;
	}
	pthread_mutex_init(&registry->lock, NULL);
	registry->refresh_ms = refresh_ms;
	registry->settings = *settings;
	registry->settings.url = url;
	return registry;
}

int registry_start(struct registry *registry)
{
	refresh_and_log(registry);
	int r = thread_start(&registry->thread, run, registry);
	registry->has_thread = r == 0;
	return r;
}

static void stop(struct registry *registry)
{
	if (!registry->has_thread)
		return;
	pthread_mutex_lock(&registry->lock);
	registry->stopping = true;
	pthread_cond_signal(&registry->wake);
	pthread_mutex_unlock(&registry->lock);
	pthread_join(registry->thread, NULL);
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	stop(registry);
	/* What it heard last is not lost for want of three seconds. */
	if (registry->store && registry->gone_count > 0)
		refresh_and_log(registry);
	store_close(registry->store);
	snapshot_free(registry->current);
	snapshot_free(registry->next);
	pthread_cond_destroy(&registry->wake);
	pthread_mutex_destroy(&registry->lock);
	free((char *)registry->settings.url);
	free(registry);
}
