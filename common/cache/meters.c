#include "cache/meters.h"

#include <stddef.h>

void cache_meters_init(struct cache_meters *meters, struct metrics *registry, const char *cache, const char *source)
{
	const char *const answers[] = {[CACHE_PROCESS] = "process", [CACHE_REDIS] = "redis", [CACHE_SOURCE] = source};

	for (int i = 0; i < 3; i++)
		meters->answers[i] = metrics_counter(registry, "facefleet_cache_lookups_total",
						     "Look-ups in front of something slower, by who answered.",
						     (const char *const[]){"cache", cache, "answer", answers[i], NULL});
	meters->garbage =
	    metrics_counter(registry, "facefleet_cache_garbage_total", "What Redis held and nobody could have meant.",
			    (const char *const[]){"cache", cache, NULL});
}

void cache_meters_answered(struct cache_meters *meters, enum cache_answer answer)
{
	metric_add(meters->answers[answer], 1);
}

void cache_meters_garbage(struct cache_meters *meters)
{
	metric_add(meters->garbage, 1);
}
