#include "cli/people/erasure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/settings.h"
#include "amqp/sweep.h"
#include "base/clock.h"
#include "base/stop.h"
#include "base/uuid.h"
#include "cache/people_cache.h"
#include "cache/photo_cache.h"
#include "cache/redis.h"
#include "cli/fleet/control_message.h"
#include "cli/fleet/parked.h"
#include "cli/output/report.h"
#include "job/control.h"
#include "store/collections.h"
#include "store/schedules.h"
#include "store/tasks.h"

#define REDIS_TIMEOUT_MS 10000
/* A worker that was looking the person up may write to Redis for so long after they left the store. */
#define STRAGGLERS_MS 2000

struct erasure {
	const struct erasure_settings *settings;
	const struct config *config;
	struct store *store; /* NULL: none is configured, or it was not reached */
	uint64_t version;    /* of the store, with the person gone; 0: nothing changed, or it was not reached */
	unsigned missed;     /* places that could not be reached */
};

/* One line about one place; quiet asks for errors only. */
printf_like(3, 4) static void tell(const struct erasure *e, const char *place, const char *fmt, ...)
{
	va_list args;

	if (e->settings->quiet)
		return;
	printf("%-8s", place);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void miss(struct erasure *e, const char *place, const struct error *err)
{
	e->missed++;
	if (!stop_requested())
		report_error("%s: not reached: %s", place, err->text);
}

/* --- the store --- */

static void open_store(struct erasure *e)
{
	const struct store_settings settings = {
	    .url = config_string(e->config, OPTION_STORE_URL),
	    .timeout_ms = config_integer(e->config, OPTION_STORE_TIMEOUT),
	};
	struct error err = {0};

	if (!settings.url[0])
		tell(e, "store", "none is configured");
	else if (store_open(&e->store, &settings, &err) < 0)
		miss(e, "store", &err);
}

static void erase_from_store(struct erasure *e)
{
	const struct erasure_settings *who = e->settings;
	struct people_command command = {.accepted_ms = clock_unix_ms()};
	struct error err = {0};
	char id[UUID_SIZE];
	unsigned persons = 0;
	uint64_t images = 0;
	uint64_t tasks = 0;
	uint64_t schedules = 0;

	uuid_v7(id);
	command.id = id;
	int r =
	    collections_erase(e->store, who->collection, who->user_id, &command, &persons, &images, &e->version, &err);
	if (r == 0)
		r = tasks_erase_user(e->store, who->collection, who->user_id, &tasks, &err);
	if (r == 0)
		r = schedules_erase_user(e->store, who->collection, who->user_id, &schedules, &err);
	if (r < 0) {
		miss(e, "store", &err);
		return;
	}
	tell(e, "store", "%" PRIu64 " image%s removed, in %u collection%s", images, images == 1 ? "" : "s", persons,
	     persons == 1 ? "" : "s");
	tell(e, "tasks", "%" PRIu64 " removed with %s history", tasks, tasks == 1 ? "its" : "their");
	tell(e, "planned", "%" PRIu64 " scheduled job%s removed", schedules, schedules == 1 ? "" : "s");
}

static void erase_from_replies(struct erasure *e)
{
	struct tasks_step step = {0};
	struct error err = {0};
	uint64_t sum = 0;
	int looked_at;

	do {
		unsigned changed;

		looked_at = tasks_erase_candidate(e->store, e->settings->collection, e->settings->user_id, &step,
						  &changed, &err);
		sum += changed;
	} while (looked_at > 0 && !stop_requested());
	if (looked_at < 0)
		miss(e, "replies", &err);
	else
		tell(e, "replies", "%" PRIu64 " search%s no longer list%s the person", sum, sum == 1 ? "" : "es",
		     sum == 1 ? "s" : "");
}

/* --- the workers and the gateways --- */

static void tell_fleet(struct erasure *e)
{
	struct control controls[] = {
	    {.kind = CONTROL_PEOPLE_CHANGED, .version = e->version},
	    {.kind = CONTROL_PHOTOS_FORGET},
	    {.kind = CONTROL_PERSON_ERASED},
	};
	const struct erasure_settings *who = e->settings;
	size_t first = e->version > 0 ? 0 : 1;
	struct error err = {0};

	snprintf(controls[2].user_id, sizeof(controls[2].user_id), "%s", who->user_id);
	snprintf(controls[2].collection, sizeof(controls[2].collection), "%s", who->collection ? who->collection : "");
	if (control_message_send(e->config, "facefleet erase", controls + first, array_size(controls) - first, &err) <
	    0)
		miss(e, "workers", &err);
	else
		tell(e, "workers", "told to forget the person and all photographs seen before; gateways, their tasks");
}

/* --- Redis --- */

static int forget_pattern(struct redis *redis, const char *pattern, uint64_t *removed, struct error *err)
{
	uint64_t more = 0;
	int r = redis_forget(redis, pattern, REDIS_TIMEOUT_MS, &more, err);

	*removed += more;
	return r;
}

/* One pass over what is remembered of the person, and of photographs, whoever is on them. */
static int forget(struct erasure *e, struct redis *redis, uint64_t *people, uint64_t *photos, struct error *err)
{
	char pattern[PEOPLE_CACHE_PATTERN_SIZE];

	if (people_cache_pattern(e->settings->collection, e->settings->user_id, pattern) < 0)
		return error_set(err, ERROR_CONFIG, "the user id is too long");
	int r = forget_pattern(redis, pattern, people, err);
	return r < 0 ? r : forget_pattern(redis, PHOTO_CACHE_PATTERN, photos, err);
}

static void forget_in_redis(struct erasure *e)
{
	const struct redis_settings settings = {.url = config_string(e->config, OPTION_CACHE_REDIS_URL)};
	struct redis *redis = NULL;
	struct error err = {0};
	uint64_t people = 0;
	uint64_t photos = 0;

	if (!settings.url[0]) {
		tell(e, "Redis", "none is configured");
		return;
	}
	int r = redis_new(&redis, &settings, &err);
	if (r == 0)
		r = forget(e, redis, &people, &photos, &err);
	if (r == 0 && stop_wait(0, STRAGGLERS_MS) == 0)
		r = forget(e, redis, &people, &photos, &err);
	redis_free(redis);
	if (r < 0)
		miss(e, "Redis", &err);
	else
		tell(e, "Redis", "%" PRIu64 " entr%s of the person and %" PRIu64 " of photographs removed", people,
		     people == 1 ? "y" : "ies", photos);
}

/* --- parked messages --- */

static void sweep_parked(struct erasure *e, const struct amqp_url *url)
{
	struct parked_search search = {.user_id = e->settings->user_id, .collection = e->settings->collection};
	struct amqp_sweep_counts counts;
	struct error err = {0};

	if (amqp_sweep(NULL, url, TOPOLOGY_DEAD_PARKED_QUEUE, parked_is_about, &search, &counts, &err) < 0) {
		miss(e, "parked messages", &err);
		return;
	}
	tell(e, "parked", "%" PRIu64 " of %" PRIu64 " message%s removed", counts.removed, counts.seen,
	     counts.seen == 1 ? "" : "s");
	if (search.unreadable > 0)
		report_note("%" PRIu64 " parked message%s cannot be read and stayed", search.unreadable,
			    search.unreadable == 1 ? "" : "s");
}

static void erase_everywhere(struct erasure *e, const struct amqp_url *url)
{
	/* The store first: whoever looks the person up from then on finds nobody to remember. */
	open_store(e);
	if (e->store)
		erase_from_store(e);
	if (!stop_requested())
		tell_fleet(e);
	if (!stop_requested())
		forget_in_redis(e);
	/* Late, for what searches found until the workers knew. */
	if (e->store && !stop_requested())
		erase_from_replies(e);
	if (!stop_requested())
		sweep_parked(e, url);
	store_close(e->store);
}

static enum exit_status run(struct erasure *e)
{
	struct amqp_link_settings link = {0};
	struct amqp_url *url = calloc(1, sizeof(*url));
	struct error err = {0};

	if (!url || amqp_settings_from_config(url, &link, e->config, &err) < 0) {
		report_error("%s", url ? err.text : "out of memory");
		free(url);
		return url ? STATUS_USAGE : STATUS_LOCAL_FAULT;
	}
	erase_everywhere(e, url);
	free(url);
	if (stop_requested())
		return STATUS_ABORTED;
	return e->missed > 0 ? STATUS_NOT_REACHED : STATUS_OK;
}

enum exit_status erasure_run(const struct erasure_settings *settings)
{
	struct erasure e = {.settings = settings, .config = settings->config};

	return run(&e);
}
