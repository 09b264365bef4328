#include "run.h"

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "cli/fleet/pending.h"

static struct pending *await_new(struct pending_table *table)
{
	struct pending *pending = pending_take(table);

	assert_non_null(pending);
	uuid_v7(pending->task_id);
	pending_await(table, pending);
	return pending;
}

static void test_no_more_than_its_capacity(void **state)
{
	struct pending_table *table = pending_table_new(3);
	struct pending *taken[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_non_null(taken[i] = pending_take(table));
	assert_null(pending_take(table));
	taken[1]->line = 7;
	pending_give_back(table, taken[1]);
	assert_ptr_equal(pending_take(table), taken[1]);
	assert_int_equal(taken[1]->line, 0);
	pending_table_free(table);
}

static void test_an_answer_is_found_once(void **state)
{
	struct pending_table *table = pending_table_new(500);
	struct pending *all[500];

	(void)state;
	for (int i = 0; i < 500; i++)
		all[i] = await_new(table);
	for (int i = 499; i >= 0; i--) {
		char id[UUID_SIZE];
		memcpy(id, all[i]->task_id, sizeof(id));
		assert_ptr_equal(pending_answer(table, id), all[i]);
		assert_null(pending_answer(table, id));
		pending_give_back(table, all[i]);
	}
	assert_null(pending_answer(table, ""));
	assert_null(pending_answer(table, "01930000-0000-7000-8000-000000000001"));
	pending_table_free(table);
}

static void test_overdue_counts_from_the_confirm(void **state)
{
	struct pending_table *table = pending_table_new(4);
	struct pending *unconfirmed = await_new(table);
	struct pending *patient = await_new(table);
	struct pending *late = await_new(table);
	size_t cursor = 0;

	(void)state;
	unconfirmed->patience_ms = 10;
	patient->confirmed_ms = late->confirmed_ms = 1000;
	patient->patience_ms = 100;
	late->patience_ms = 50;
	assert_null(pending_overdue(table, 1050, &(size_t){0}));
	assert_ptr_equal(pending_overdue(table, 1051, &cursor), late);
	assert_null(pending_overdue(table, 1051, &cursor));
	assert_null(pending_overdue(table, 1051, &(size_t){0}));
	assert_null(pending_answer(table, late->task_id));
	pending_table_free(table);
}

static void test_gives_back_the_message_too(void **state)
{
	struct pending_table *table = pending_table_new(2);
	struct pending *pending = pending_take(table);
	struct buffer body = {0};

	(void)state;
	assert_int_equal(buffer_append(&body, "x", 1), 0);
	pending->message = amqp_message_new("", "q", &body);
	assert_non_null(pending->message);
	pending_give_back(table, pending);
	assert_null(pending->message);
	pending_table_free(table);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_no_more_than_its_capacity),
    cmocka_unit_test(test_an_answer_is_found_once),
    cmocka_unit_test(test_overdue_counts_from_the_confirm),
    cmocka_unit_test(test_gives_back_the_message_too),
};

RUN_TESTS(tests)
