#ifndef JOB_SCENE_H
#define JOB_SCENE_H

#include <stdint.h>

/** The two queues that jobs wait in. */
enum lane { LANE_REALTIME, LANE_BATCH };
#define LANE_COUNT 2

/** The lane's name, which is also its routing key. Static storage. */
const char *lane_name(enum lane lane);

/** How a kind of task is treated: where it waits and how long it may take. */
struct scene {
	const char *name;
	enum lane lane;
	int64_t end_to_end_ms; /**< from acceptance to result */
	int64_t attempt_ms;    /**< from the start of each attempt; 0 = only end_to_end_ms counts */
	int retries;           /**< further attempts after the first */
	int64_t backoff_ms;    /**< wait before a further attempt; one of the topology's retry delays */
};

/** The scene of that name, or NULL. The built-in ones are `realtime` and `batch`. */
const struct scene *scene_find(const char *name);

#endif
