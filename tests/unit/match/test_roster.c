#include "run.h"

#include <errno.h>
#include <stdlib.h>

#include "roster.h"

static struct task *add_task(struct roster *roster)
{
	struct amqp_delivery *delivery = calloc(1, sizeof(*delivery));
	assert_non_null(delivery);
	struct task *task = task_new(delivery, NULL, LANE_BATCH);

	assert_non_null(task);
	roster_add(roster, task);
	return task;
}

static void tasks_come_and_go_in_any_order(void **state)
{
	(void)state;
	struct roster *roster = roster_new();
	struct task *tasks[3];

	for (int i = 0; i < 3; i++)
		tasks[i] = add_task(roster);
	assert_int_equal(roster_count(roster), 3);
	assert_int_equal(roster_wait_empty(roster, 0), -ETIMEDOUT);
	roster_remove(roster, tasks[1]);
	roster_remove(roster, tasks[0]);
	assert_int_equal(roster_count(roster), 1);
	roster_remove(roster, tasks[2]);
	assert_int_equal(roster_wait_empty(roster, 0), 0);
	roster_free(roster);
}

static void cancelling_reaches_every_task(void **state)
{
	(void)state;
	struct roster *roster = roster_new();
	struct task *first = add_task(roster);
	struct task *second = add_task(roster);
	struct error err = {0};

	roster_cancel_all(roster);
	assert_true(context_check(&first->ctx, "decode", &err) < 0);
	assert_int_equal(err.code, ERROR_CANCELLED);
	assert_true(context_check(&second->ctx, "decode", &err) < 0);
	/* what is still on the roster goes with it */
	roster_free(roster);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tasks_come_and_go_in_any_order),
    cmocka_unit_test(cancelling_reaches_every_task),
};
RUN_TESTS(tests)
