#include "base/loop_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

void loop_state_init(struct loop_state *state)
{
	atomic_flag_clear(&state->fault_claimed);
	atomic_init(&state->has_fault, false);
	atomic_init(&state->stopping, false);
	atomic_init(&state->turned_ms, clock_monotonic_ms());
}

void loop_state_turned(struct loop_state *state, int64_t now_ms)
{
	atomic_store(&state->turned_ms, now_ms);
}

bool loop_state_is_turning(struct loop_state *state, int64_t stuck_ms, char *why, size_t why_size)
{
	int64_t silent_ms = clock_monotonic_ms() - atomic_load(&state->turned_ms);

	if (silent_ms <= stuck_ms)
		return true;
	snprintf(why, why_size, "the loop has not turned for %" PRId64 " ms", silent_ms);
	return false;
}

bool loop_state_is_serving(struct loop_state *state, char *why, size_t why_size)
{
	if (!atomic_load(&state->stopping))
		return true;
	snprintf(why, why_size, "stopping");
	return false;
}

void loop_state_fail(struct loop_state *state, const struct error *fault)
{
	if (atomic_flag_test_and_set(&state->fault_claimed))
		return;
	state->fault = *fault;
	atomic_store(&state->has_fault, true);
}

bool loop_state_has_failed(struct loop_state *state)
{
	return atomic_load(&state->has_fault);
}

int loop_state_fault(struct loop_state *state, struct error *err)
{
	if (!loop_state_has_failed(state))
		return 0;
	*err = state->fault;
	return error_errno(err);
}
