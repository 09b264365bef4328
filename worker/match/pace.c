#include "pace.h"

/* What one more job weighs. */
#define WEIGHT (1.0 / 8)
#define QUICKER 0.98

void pace_note(struct pace *pace, const struct reply *reply)
{
	double ms = 0;

	for (int i = STAGE_DECODE; i <= STAGE_COMPARE; i++)
		if (reply->timings.ms[i] > 0)
			ms += reply->timings.ms[i];
	double before = atomic_load(&pace->ms[reply->op]);
	/* Of two threads at once, one's job may go uncounted. */
	atomic_store(&pace->ms[reply->op], before > 0 ? before + WEIGHT * (ms - before) : ms);
}

bool pace_is_hopeless(struct pace *pace, enum job_op op, double waited_ms, double left_ms)
{
	double takes_ms = atomic_load(&pace->ms[op]);

	if (left_ms >= takes_ms || waited_ms < left_ms)
		return false;
	atomic_store(&pace->ms[op], takes_ms * QUICKER);
	return true;
}
