#include "job/scene.h"

#include <pthread.h>
#include <string.h>

#include "base/compiler.h"

const int64_t scene_backoffs[] = {1000, 5000, 30000, 0};

#define BUILTIN                                                                                                        \
	{                                                                                                              \
		.items = {{.name = "realtime", .lane = LANE_REALTIME, .end_to_end_ms = 300, .backoff_ms = 1000},       \
			  {.name = "batch",                                                                            \
			   .lane = LANE_BATCH,                                                                         \
			   .end_to_end_ms = INT64_C(24) * 60 * 60 * 1000,                                              \
			   .attempt_ms = 2000,                                                                         \
			   .retries = 1,                                                                               \
			   .backoff_ms = 1000}},                                                                       \
		.count = 2,                                                                                            \
	}

const struct scene_table scene_builtin = BUILTIN;

/* What the process knows. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct scene_table known = BUILTIN;

const char *lane_name(enum lane lane)
{
	return lane == LANE_REALTIME ? "realtime" : "batch";
}

const struct scene *scene_find_in(const struct scene_table *table, const char *name)
{
	for (unsigned i = 0; i < table->count; i++)
		if (strcmp(table->items[i].name, name) == 0)
			return &table->items[i];
	return NULL;
}

void scene_use(const struct scene_table *table)
{
	pthread_mutex_lock(&lock);
	known = *table;
	pthread_mutex_unlock(&lock);
}

bool scene_find(const char *name, struct scene *out)
{
	pthread_mutex_lock(&lock);
	const struct scene *found = scene_find_in(&known, name);
	if (found)
		*out = *found;
	pthread_mutex_unlock(&lock);
	return found != NULL;
}
