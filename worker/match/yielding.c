#include "yielding.h"

#include <string.h>

#define SLOT_MS 250
/* Waits are above the target if more than one in so many is. */
#define LATE_PART 10

/* How long a step lasts before the next one down: what it has done shows once the batch jobs in hand are through. */
static const int64_t lasts_ms[] = {
    [YIELDING_HALF] = 250, [YIELDING_QUARTER] = 250,        [YIELDING_EIGHTH] = 250,
    [YIELDING_ALL] = 1000, [YIELDING_DEGRADED] = INT64_MAX,
};

void yielding_init(struct yielding *y, int64_t target_ms, double jitter)
{
	*y = (struct yielding){.target_ms = target_ms, .jitter = jitter, .patience_ms = YIELDING_PATIENCE_MS};
}

bool yielding_set_target(struct yielding *y, int64_t target_ms)
{
	bool returns = target_ms == 0 && y->step != YIELDING_NOT;

	if (target_ms == y->target_ms)
		return false;
	y->target_ms = target_ms;
	memset(y->slots, 0, sizeof(y->slots));
	if (returns)
		y->step = YIELDING_NOT;
	return returns;
}

/* Forgets the slots that are too old. */
static void move_to(struct yielding *y, int64_t now_ms)
{
	int64_t slot = now_ms / SLOT_MS;

	if (slot - y->slot >= YIELDING_SLOTS)
		memset(y->slots, 0, sizeof(y->slots));
	else
		for (int64_t i = y->slot + 1; i <= slot; i++)
			y->slots[i % YIELDING_SLOTS] = (struct yielding_waits){0};
	if (slot > y->slot)
		y->slot = slot;
}

void yielding_observe(struct yielding *y, double wait_ms, int64_t now_ms)
{
	if (y->target_ms == 0)
		return;
	move_to(y, now_ms);
	struct yielding_waits *waits = &y->slots[y->slot % YIELDING_SLOTS];
	waits->all++;
	waits->late += wait_ms > (double)y->target_ms;
}

static bool is_above_target(const struct yielding *y)
{
	unsigned all = 0;
	unsigned late = 0;

	for (unsigned i = 0; i < YIELDING_SLOTS; i++) {
		all += y->slots[i].all;
		late += y->slots[i].late;
	}
	return late * LATE_PART > all;
}

static void step_down(struct yielding *y, int64_t now_ms)
{
	bool soon = y->back_ms != 0 && now_ms - y->back_ms < y->patience_ms;

	/* Only the first step after one back says anything about that one. */
	if (soon && y->changed_ms == y->back_ms) {
		y->patience_ms *= 2;
		if (y->patience_ms > YIELDING_MOST_PATIENCE_MS)
			y->patience_ms = YIELDING_MOST_PATIENCE_MS;
	} else if (y->step == YIELDING_NOT) {
		y->patience_ms = YIELDING_PATIENCE_MS;
	}
	y->step++;
	y->changed_ms = now_ms;
	/* The next step needs waits of its own: those that led to this one are spent. */
	memset(y->slots, 0, sizeof(y->slots));
}

static bool is_patience_over(const struct yielding *y, int64_t now_ms)
{
	int64_t since = y->waited_ms > y->changed_ms ? y->waited_ms : y->changed_ms;

	return now_ms - since >= (int64_t)((double)y->patience_ms * (1 + y->jitter));
}

bool yielding_turn(struct yielding *y, int64_t now_ms)
{
	move_to(y, now_ms);
	if (is_above_target(y)) {
		y->waited_ms = now_ms;
		if (now_ms - y->changed_ms < lasts_ms[y->step])
			return false;
		step_down(y, now_ms);
		return true;
	}
	if (y->step == YIELDING_NOT || !is_patience_over(y, now_ms))
		return false;
	/* The step back before this one was not followed by waits: the next need not be put off for so long. */
	if (y->back_ms > y->waited_ms && y->patience_ms > YIELDING_PATIENCE_MS)
		y->patience_ms /= 2;
	y->step--;
	y->changed_ms = now_ms;
	y->back_ms = now_ms;
	return true;
}

uint16_t yielding_prefetch(const struct yielding *y, uint16_t full)
{
	if (y->step >= YIELDING_ALL)
		return 0;
	uint16_t part = (uint16_t)(full >> y->step);
	return part > 0 ? part : 1;
}

double yielding_share(const struct yielding *y)
{
	return y->step >= YIELDING_ALL ? 0 : 1.0 / (1 << y->step);
}
