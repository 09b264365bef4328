#include "cache/meters.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/compiler.h"

/* From a look into memory to a store in trouble, in seconds. */
static const double bounds[] = {1e-6, 1e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 1e-1, 1, 10};

void cache_meters_init(struct cache_meters *meters, struct metrics *registry, const char *cache, const char *source)
{
	const char *const answers[] = {[CACHE_PROCESS] = "process", [CACHE_REDIS] = "redis", [CACHE_SOURCE] = source};

	for (size_t i = 0; i < array_size(answers); i++)
		meters->lookups[i] = metrics_histogram(
		    registry, "facefleet_cache_lookup_duration_seconds",
		    "Look-ups in front of something slower, by who answered.",
		    (const char *const[]){"cache", cache, "answer", answers[i], NULL}, bounds, array_size(bounds));
	meters->garbage =
	    metrics_counter(registry, "facefleet_cache_garbage_total", "What Redis held and nobody could have meant.",
			    (const char *const[]){"cache", cache, NULL});
}

void cache_meters_answered(struct cache_meters *meters, enum cache_answer answer, int64_t start_ns)
{
	metric_observe(meters->lookups[answer], clock_elapsed_ms(start_ns, clock_monotonic_ns()) / 1000);
}

void cache_meters_garbage(struct cache_meters *meters)
{
	metric_add(meters->garbage, 1);
}
