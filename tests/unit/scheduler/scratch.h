#ifndef UNIT_SCHEDULER_SCRATCH_H
#define UNIT_SCHEDULER_SCRATCH_H

#include "store/schedules.h"
#include "store/store.h"

/** A store in a file of its own, open; gone with scratch_finish(). */
struct scratch {
	char folder[64];
	char url[96];
	struct store *store;
};

/** For cmocka's set-up: *state gets the scratch. */
int scratch_set_up(void **state);
int scratch_tear_down(void **state);

/** Opens the same store once more. */
struct store *scratch_open(const struct scratch *scratch);

/** Adds a schedule with that number in its id, by interval when `every_ms` is above 0. */
void scratch_add(struct store *store, unsigned number, int64_t due_ms, int64_t every_ms, enum misfire misfire);

/** The number in a schedule's id. */
unsigned scratch_number(const char *schedule_id);

#endif
