#ifndef MATCH_PACE_H
#define MATCH_PACE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "job/reply.h"

/**
 * How long the computing of each op takes lately, and so which jobs that have waited are not worth beginning: those
 * that would run out of time. Otherwise, with more jobs than can be done, each would be begun with its last
 * milliseconds, and none finished. Any thread.
 */
struct pace {
	_Atomic double ms[JOB_UNENROLL + 1]; /* 0: not known yet */
};

/** A job was done, in so much time as its stages took. */
void pace_note(struct pace *pace, const struct reply *reply);

/**
 * True if a job that has waited for `waited_ms` and has `left_ms` is not worth beginning. Never of one that has waited
 * for less than that: no others stand behind it. Each time, the op is taken to be a little quicker, so that a slow
 * moment is forgotten although nothing is computed.
 */
bool pace_is_hopeless(struct pace *pace, enum job_op op, double waited_ms, double left_ms);

#endif
