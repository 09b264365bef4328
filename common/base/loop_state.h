#ifndef BASE_LOOP_STATE_H
#define BASE_LOOP_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/**
 * What a program's main loop and its other threads have to tell each other: that it turns, that it is stopping, and the
 * first fault that no waiting mends. Any thread may call any of these.
 */
struct loop_state {
	atomic_int_fast64_t turned_ms; /**< when it last turned (monotonic) */
	atomic_bool stopping;
	atomic_flag fault_claimed; /**< by the first thread that reports one */
	atomic_bool has_fault;     /**< `fault` is written */
	struct error fault;
};

/** It counts as having turned now. */
void loop_state_init(struct loop_state *state);

/** The loop has turned. */
void loop_state_turned(struct loop_state *state, int64_t now_ms);

/** For health: false, and why, when it has not turned for longer than `stuck_ms`. */
bool loop_state_is_turning(struct loop_state *state, int64_t stuck_ms, char *why, size_t why_size) must_check;

/** For readiness: false, and why, when it is stopping. */
bool loop_state_is_serving(struct loop_state *state, char *why, size_t why_size) must_check;

/** Reports a fault; the first one stays. */
void loop_state_fail(struct loop_state *state, const struct error *fault);

/** Whether a fault was reported. */
bool loop_state_has_failed(struct loop_state *state) must_check;

/** 0; or the errno of the fault, and `err` is that fault. */
int loop_state_fault(struct loop_state *state, struct error *err) must_check;

#endif
