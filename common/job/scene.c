#include "job/scene.h"

#include <string.h>

#include "base/compiler.h"

static const struct scene scenes[] = {
    {.name = "realtime", .lane = LANE_REALTIME, .end_to_end_ms = 300},
    {
	.name = "batch",
	.lane = LANE_BATCH,
	.end_to_end_ms = INT64_C(24) * 60 * 60 * 1000,
	.attempt_ms = 2000,
	.retries = 1,
	.backoff_ms = 1000,
    },
};

const char *lane_name(enum lane lane)
{
	return lane == LANE_REALTIME ? "realtime" : "batch";
}

const struct scene *scene_find(const char *name)
{
	for (size_t i = 0; i < array_size(scenes); i++)
		if (strcmp(scenes[i].name, name) == 0)
			return &scenes[i];
	return NULL;
}
