#include "waits.h"

#include <string.h>

#define SECOND_MS 1000

void waits_init(struct waits *waits)
{
	*waits = (struct waits){0};
}

static void move_to(struct waits *waits, int64_t now_ms)
{
	int64_t second = now_ms / SECOND_MS;

	if (second - waits->second >= WAITS_SECONDS)
		memset(waits->seconds, 0, sizeof(waits->seconds));
	else
		for (int64_t i = waits->second + 1; i <= second; i++)
			waits->seconds[i % WAITS_SECONDS] = (struct waits_second){0};
	if (second > waits->second)
		waits->second = second;
}

/* What was heard in the seconds that still count. */
static struct waits_second sum(const struct waits *waits, int64_t now_ms)
{
	struct waits_second all = {0};
	struct waits current = *waits;

	move_to(&current, now_ms);
	for (unsigned i = 0; i < WAITS_SECONDS; i++) {
		all.begun += current.seconds[i].begun;
		all.waited_ms += current.seconds[i].waited_ms;
	}
	return all;
}

void waits_hear(struct waits *waits, double wait_ms, int64_t now_ms)
{
	move_to(waits, now_ms);
	struct waits_second *second = &waits->seconds[waits->second % WAITS_SECONDS];
	second->begun++;
	second->waited_ms += wait_ms;
	waits->nothing_ms = 0;
}

void waits_count(struct waits *waits, uint32_t depth, int64_t now_ms)
{
	waits->depth = depth;
	waits->depth_ms = now_ms;
	if (depth == 0)
		waits->nothing_ms = 0;
	else if (waits->nothing_ms == 0)
		waits->nothing_ms = now_ms;
}

/* The newest second has only begun: on average half of it is over. */
#define COUNTED_S (WAITS_SECONDS - 0.5)

double waits_rate(const struct waits *waits, int64_t now_ms)
{
	return sum(waits, now_ms).begun / COUNTED_S;
}

uint32_t waits_depth(const struct waits *waits, int64_t now_ms)
{
	return now_ms - waits->depth_ms <= WAITS_STALE_MS ? waits->depth : 0;
}

double waits_estimate(const struct waits *waits, int64_t now_ms)
{
	if (waits_depth(waits, now_ms) == 0)
		return 0;
	struct waits_second all = sum(waits, now_ms);
	if (all.begun == 0)
		return waits->nothing_ms == 0 ? 0 : (double)(now_ms - waits->nothing_ms);
	double past_ms = all.waited_ms / all.begun;
	double ahead_ms = SECOND_MS * waits->depth / (all.begun / COUNTED_S);
	return past_ms > ahead_ms ? past_ms : ahead_ms;
}
