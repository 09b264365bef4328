#include "plan.h"

#include <inttypes.h>

#include "cron.h"

static int next_by_cron(const struct plan *plan, int64_t after_ms, int64_t *next_ms, struct error *err)
{
	struct time_zone *zone;
	struct cron cron;
	int r = cron_parse(&cron, plan->cron, err);

	if (r == 0)
		r = time_zone_load(&zone, plan->time_zone, err);
	if (r < 0)
		return r;
	*next_ms = cron_next(&cron, zone, after_ms);
	time_zone_free(zone);
	return 0;
}

int plan_next(const struct plan *plan, int64_t after_ms, int64_t *next_ms, struct error *err)
{
	if (plan->cron[0] != '\0')
		return next_by_cron(plan, after_ms, next_ms, err);
	if (plan->every_ms == 0) {
		*next_ms = 0;
		return 0;
	}
	if (plan->every_ms < PLAN_MIN_EVERY_MS || plan->every_ms > PLAN_MAX_MS)
		return error_set(err, ERROR_CONFIG,
				 "an interval of %" PRId64 " ms; from a second to ten years can be had",
				 plan->every_ms);
	/* Clocks that were set back leave the time it was made in the future. */
	int64_t passed = after_ms < plan->from_ms ? -1 : (after_ms - plan->from_ms) / plan->every_ms;
	*next_ms = plan->from_ms + (passed + 1) * plan->every_ms;
	return 0;
}
