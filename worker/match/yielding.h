#ifndef MATCH_YIELDING_H
#define MATCH_YIELDING_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Decides how far the batch lane yields to the realtime lane, by how long realtime jobs waited until their computing
 * began. Knows neither clock nor broker: the caller says what time it is (monotonic ms). One thread at a time.
 *
 * While more than a tenth of the waits seen lately are above the target, the batch lane's share of its prefetch goes
 * down a step every 250 ms: all, a half, a quarter, an eighth, nothing. Still above the target a second later, the
 * worker is degraded. The way back is a step at a time, each after YIELDING_PATIENCE_MS without such waits; when a step
 * back was followed by waits again soon, the next one needs twice as long, YIELDING_MOST_PATIENCE_MS at most; when it
 * was not, half as long.
 */
enum yielding_step {
	YIELDING_NOT,
	YIELDING_HALF,
	YIELDING_QUARTER,
	YIELDING_EIGHTH,
	YIELDING_ALL,     /**< the batch lane is not consumed */
	YIELDING_DEGRADED /**< nor is what is optional computed or sent */
};

#define YIELDING_PATIENCE_MS 2000
#define YIELDING_MOST_PATIENCE_MS 16000

/* The waits of the last second, a quarter of it in each slot. */
#define YIELDING_SLOTS 4

struct yielding {
	int64_t target_ms; /* 0: never yields */
	double jitter;
	enum yielding_step step;
	int64_t changed_ms; /* when the last step was taken */
	int64_t waited_ms;  /* when waits were last seen to be above the target */
	int64_t back_ms;    /* when the last step back was taken; 0: never */
	int64_t patience_ms;
	int64_t slot; /* number of the newest slot since time began */
	struct yielding_waits {
		unsigned all;
		unsigned late;
	} slots[YIELDING_SLOTS];
};

/** `jitter`, 0 to 1, lengthens the patience of this worker by so much, so that not all workers of a fleet return at
 * once. */
void yielding_init(struct yielding *y, int64_t target_ms, double jitter);

/** Changes the target from now on; the waits seen so far are forgotten. True if it changed the step: 0 undoes it at
 * once. */
bool yielding_set_target(struct yielding *y, int64_t target_ms);

/** A realtime job has waited so long. */
void yielding_observe(struct yielding *y, double wait_ms, int64_t now_ms);

/** Takes a step where one is due; call it ten times a second or so. True if it took one. */
bool yielding_turn(struct yielding *y, int64_t now_ms);

/** Of a prefetch of `full` (≥ 1), how much the batch lane has at this step; 0: it is not to be consumed. */
uint16_t yielding_prefetch(const struct yielding *y, uint16_t full);

/** The share of the batch lane at this step, 0 to 1. */
double yielding_share(const struct yielding *y);

#endif
