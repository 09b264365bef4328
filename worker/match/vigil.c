#include "vigil.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct vigil {
	atomic_int_fast64_t turned_ms;
	unsigned threads;
	atomic_int_fast64_t since_ms[]; /* when each compute thread began what it is at; 0: it waits */
};

struct vigil *vigil_new(unsigned threads, int64_t now_ms)
{
	struct vigil *vigil = calloc(1, sizeof(*vigil) + threads * sizeof(vigil->since_ms[0]));

	if (!vigil)
		return NULL;
	vigil->threads = threads;
	vigil_turn(vigil, now_ms);
	return vigil;
}

void vigil_free(struct vigil *vigil)
{
	free(vigil);
}

void vigil_turn(struct vigil *vigil, int64_t now_ms)
{
	atomic_store(&vigil->turned_ms, now_ms);
}

void vigil_begin(struct vigil *vigil, unsigned thread, int64_t now_ms)
{
	atomic_store(&vigil->since_ms[thread], now_ms);
}

void vigil_end(struct vigil *vigil, unsigned thread)
{
	atomic_store(&vigil->since_ms[thread], 0);
}

bool vigil_holds(struct vigil *vigil, int64_t now_ms, char *why, size_t why_size)
{
	int64_t silent_ms = now_ms - atomic_load(&vigil->turned_ms);

	if (silent_ms > VIGIL_TURN_MS) {
		snprintf(why, why_size, "the main loop has not turned for %" PRId64 " ms", silent_ms);
		return false;
	}
	for (unsigned i = 0; i < vigil->threads; i++) {
		int64_t since_ms = atomic_load(&vigil->since_ms[i]);
		if (since_ms != 0 && now_ms - since_ms > VIGIL_TASK_MS) {
			snprintf(why, why_size, "compute thread %u has been at one task for %" PRId64 " ms", i,
				 now_ms - since_ms);
			return false;
		}
	}
	return true;
}
