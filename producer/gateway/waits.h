#ifndef GATEWAY_WAITS_H
#define GATEWAY_WAITS_H

#include <stdint.h>

/*
 * How long a job that is accepted now would wait in a lane's queue, by how many wait there and by what is heard of
 * those that were begun. Knows neither clock nor broker: the caller says what time it is (monotonic ms). One thread at
 * a time.
 */

/** Seconds whose jobs count. */
#define WAITS_SECONDS 3

struct waits {
	uint32_t depth;
	int64_t depth_ms;   /* when that was; 0: never */
	int64_t nothing_ms; /* since when jobs waited and none was begun; 0: that is not so */
	int64_t second;     /* number of the newest slot since time began */
	struct waits_second {
		unsigned begun;
		double waited_ms; /* of all of them */
	} seconds[WAITS_SECONDS];
};

/** Begins with nothing known; zeroed memory will do. */
void waits_init(struct waits *waits);

/** A job was begun, or given up, after so long in the queue. */
void waits_hear(struct waits *waits, double wait_ms, int64_t now_ms);

/** So many jobs are in the queue. */
void waits_count(struct waits *waits, uint32_t depth, int64_t now_ms);

/** How many jobs were in the queue; 0 when nobody has counted them for WAITS_STALE_MS. */
#define WAITS_STALE_MS 5000
uint32_t waits_depth(const struct waits *waits, int64_t now_ms);

/** Jobs begun a second, lately. */
double waits_rate(const struct waits *waits, int64_t now_ms);

/**
 * The wait in ms: 0 where waits_depth() is 0. While jobs are begun, the
 * longer of what they waited and of what it takes to begin all that are there; otherwise, for how long none was.
 */
double waits_estimate(const struct waits *waits, int64_t now_ms);

#endif
