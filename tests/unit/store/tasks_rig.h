#ifndef UNIT_STORE_TASKS_RIG_H
#define UNIT_STORE_TASKS_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "rig.h"
#include "store/tasks.h"

/* Tasks as the tests write them and read them back. */

/* Every test has an owner and a user of its own. */
extern char owner[32];
extern char user[32];

int tasks_rig_set_up(void **state);
#define TASKS_CASE(test) cmocka_unit_test_setup_teardown(test, tasks_rig_set_up, rig_tear_down)

/** Applies changes and returns how many were accepted. */
unsigned apply(const struct task_change *changes, unsigned count);

/** Says that a task of `owner` has got so far; whether it was accepted. */
bool say(const char *id, enum task_state state, int attempt);

/** A finished task about a user; `id` gets its id. */
void say_user(const char *collection, const char *user_id, char id[UUID_SIZE]);

struct task {
	enum task_state state;
	int attempt;
	int64_t at_ms, updated_ms, finished_ms, next_attempt_ms, accepted_ms, deadline_ms;
	char worker[64], error_code[64], error_text[64], op[16], scene[32], user_id[64], collection[64], reference[64],
	    owner[64];
	uint8_t reply[4096];
	size_t reply_size;
};

bool find(const char *id, struct task *task);

struct log {
	unsigned count;
	enum task_state state[32];
	int attempt[32];
};

/** The log, which only ever leads forward, to the state the task has. */
struct log history(const char *id);

/** The counts that are kept are those of the tasks, and every line of the log is a transition of one. */
void check_counts(void);

#endif
