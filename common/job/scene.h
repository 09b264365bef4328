#ifndef JOB_SCENE_H
#define JOB_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "job/job.h"

/** The two queues that jobs wait in. */
enum lane { LANE_REALTIME, LANE_BATCH };
#define LANE_COUNT 2

/** The lane's name, which is also its routing key. Static storage. */
const char *lane_name(enum lane lane);

/** How a kind of task is treated: where it waits and how long it may take. */
struct scene {
	char name[JOB_MAX_SCENE_BYTES + 1];
	enum lane lane;
	int64_t end_to_end_ms; /**< from acceptance to result */
	int64_t attempt_ms;    /**< from the start of each attempt; 0 = only end_to_end_ms counts */
	int64_t retries;       /**< further attempts after the first */
	int64_t backoff_ms;    /**< wait before a further attempt; one of scene_backoffs */
};

/** The waits before a further attempt that have a queue on the broker, in ms, rising; 0 ends them. */
extern const int64_t scene_backoffs[];

#define SCENES_MAX 64

/** The scenes that a program knows, each name once. */
struct scene_table {
	struct scene items[SCENES_MAX];
	unsigned count;
};

/** `realtime` and `batch` as they are when nobody says otherwise. */
extern const struct scene_table scene_builtin;

/** The scene of that name in a table, or NULL. */
const struct scene *scene_find_in(const struct scene_table *table, const char *name);

/**
 * Makes a copy of `table`, which has the built-in names at least, what the whole process knows from now on; until the
 * first call it knows scene_builtin. Any thread; whoever looks a scene up at that moment gets the old one or the new
 * one.
 */
void scene_use(const struct scene_table *table);

/** Copies the scene of that name that the process knows; false if there is none. Any thread. */
bool scene_find(const char *name, struct scene *out);

#endif
