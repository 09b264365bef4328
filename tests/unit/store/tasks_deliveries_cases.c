#include "tasks_cases.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_private.h"
#include "tasks_rig.h"

struct deliveries {
	unsigned count;
	struct delivery_report reports[TASKS_MAX_DELIVERIES];
};

static int keep_delivery(void *arg, const struct delivery_report *report, struct error *err)
{
	struct deliveries *kept = arg;

	(void)err;
	assert_in_range(kept->count, 0, TASKS_MAX_DELIVERIES - 1);
	kept->reports[kept->count++] = *report;
	return 0;
}

static const struct deliveries *deliveries_of(const char *id)
{
	static struct deliveries kept;
	struct error err = {0};

	kept.count = 0;
	if (tasks_deliveries(store, id, keep_delivery, &kept, &err) < 0)
		fail_msg("%s", err.text);
	return &kept;
}

static struct delivery_report report_of(const char *id, int attempt)
{
	struct delivery_report report = {.at_ms = 1000 + attempt,
					 .attempt = attempt,
					 .outcome = DELIVERY_OUTCOME_RETRYING,
					 .origin = "https://it's.example:443",
					 .http_status = 503,
					 .error = "HTTP 503 \"{\xc3\xa4,NULL}",
					 .duration_us = 1500,
					 .next_attempt_at_ms = 2000};

	memcpy(report.task_id, id, UUID_SIZE);
	return report;
}

static void record(const struct delivery_report *report)
{
	const struct tasks_news news = {.deliveries = &report, .delivery_count = 1};
	struct error err = {0};

	if (tasks_record(store, &news, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* Together with changes or alone, in any order, twice or once; the task may come later. */
static void test_deliveries_are_recorded_once(void **state)
{
	char id[UUID_SIZE];
	struct task task;
	struct error err = {0};

	(void)state;
	uuid_v7(id);
	struct delivery_report first = report_of(id, 1);
	struct delivery_report last = {
	    .at_ms = 5000, .attempt = 2, .outcome = DELIVERY_OUTCOME_PARKED, .duration_us = -1};
	memcpy(last.task_id, id, UUID_SIZE);
	const struct delivery_report *both[] = {&last, &first, &last};
	const struct task_change done = {.task_id = id, .state = TASK_SUCCEEDED, .attempt = 1, .owner = owner};
	bool accepted = false;

	record(&last);
	assert_false(find(id, &task));
	assert_int_equal(deliveries_of(id)->count, 1);
	const struct tasks_news news = {&done, 1, both, 3};
	if (tasks_record(store, &news, &accepted, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(accepted && find(id, &task));
	record(&first);

	const struct deliveries *kept = deliveries_of(id);
	assert_int_equal(kept->count, 2);
	assert_string_equal(kept->reports[0].task_id, id);
	assert_int_equal(kept->reports[0].at_ms, 1001);
	assert_int_equal(kept->reports[0].outcome, DELIVERY_OUTCOME_RETRYING);
	assert_string_equal(kept->reports[0].origin, first.origin);
	assert_int_equal(kept->reports[0].http_status, 503);
	assert_string_equal(kept->reports[0].error, first.error);
	assert_int_equal(kept->reports[0].duration_us, 1500);
	assert_int_equal(kept->reports[0].next_attempt_at_ms, 2000);
	assert_int_equal(kept->reports[1].outcome, DELIVERY_OUTCOME_PARKED);
	assert_string_equal(kept->reports[1].origin, "");
	assert_int_equal(kept->reports[1].duration_us, -1);
	assert_int_equal(history(id).count, 1);
	check_counts();
}

/* Nothing of a batch stays when its deliveries cannot be recorded. */
static void test_deliveries_and_changes_are_one(void **state)
{
	char id[UUID_SIZE];
	struct task task;
	struct error err = {0};

	(void)state;
	uuid_v7(id);
	struct delivery_report report = report_of(id, 1);
	const struct delivery_report *reports[] = {&report};
	const struct task_change done = {.task_id = id, .state = TASK_SUCCEEDED, .attempt = 1};
	const struct tasks_news news = {&done, 1, reports, 1};

	assert_int_equal(
	    database_execute(store->database, "ALTER TABLE task_deliveries RENAME TO hidden", NULL, 0, &err), 0);
	assert_true(tasks_record(store, &news, NULL, &err) < 0);
	assert_int_equal(
	    database_execute(store->database, "ALTER TABLE hidden RENAME TO task_deliveries", NULL, 0, &err), 0);
	assert_false(find(id, &task));
	check_counts();
}

static void test_many_deliveries(void **state)
{
	static struct delivery_report reports[TASKS_MAX_DELIVERIES + 10];
	const struct delivery_report *pointers[array_size(reports)];
	const struct tasks_news news = {.deliveries = pointers, .delivery_count = array_size(reports)};
	char id[UUID_SIZE];

	(void)state;
	uuid_v7(id);
	for (unsigned i = 0; i < array_size(reports); i++) {
		reports[i] = report_of(id, (int)i);
		pointers[i] = &reports[i];
	}
	assert_int_equal(tasks_record(store, &news, NULL, NULL), 0);
	const struct deliveries *kept = deliveries_of(id);
	assert_int_equal(kept->count, TASKS_MAX_DELIVERIES);
	assert_int_equal(kept->reports[0].attempt, 10);
	assert_int_equal(kept->reports[TASKS_MAX_DELIVERIES - 1].attempt, array_size(reports) - 1);
}

static void test_deliveries_go_with_their_task(void **state)
{
	char erased[UUID_SIZE], old[UUID_SIZE], other[UUID_SIZE];
	struct delivery_report report;
	const char *const ids[] = {erased, old, other};
	uint64_t removed;
	unsigned purged;

	(void)state;
	say_user("a", user, erased);
	say_user("a", "somebody", old);
	say_user("a", "another", other);
	for (unsigned i = 0; i < array_size(ids); i++) {
		report = report_of(ids[i], 1);
		record(&report);
	}
	assert_int_equal(tasks_erase_user(store, NULL, user, &removed, NULL), 0);
	assert_int_equal(deliveries_of(erased)->count, 0);
	const struct database_value id = database_text(old);
	assert_int_equal(
	    database_execute(store->database, "UPDATE tasks SET finished = 5 WHERE task_id = $1", &id, 1, NULL), 0);
	assert_int_equal(tasks_purge(store, 6, 10, &purged, NULL), 0);
	assert_int_equal(purged, 1);
	assert_int_equal(deliveries_of(old)->count, 0);
	assert_int_equal(deliveries_of(other)->count, 1);
	check_counts();
}

/* One that came after its task had gone, or before it, is kept for as long as a task would be. */
static void test_deliveries_without_a_task_go_too(void **state)
{
	char lone[UUID_SIZE], of_task[UUID_SIZE];
	struct delivery_report report;

	(void)state;
	uuid_v7(lone);
	report = report_of(lone, 1);
	record(&report);
	say_user("a", user, of_task);
	report = report_of(of_task, 1);
	record(&report);

	assert_int_equal(tasks_purge_deliveries(store, clock_unix_ms() - 3600 * 1000, 10, NULL), 0);
	assert_int_equal(deliveries_of(lone)->count, 1);
	const struct database_value id = database_text(lone);
	assert_int_equal(database_execute(store->database, "UPDATE task_deliveries SET recorded = 5 WHERE task_id = $1",
					  &id, 1, NULL),
			 0);
	assert_int_equal(tasks_purge_deliveries(store, 5, 10, NULL), 0);
	assert_int_equal(deliveries_of(lone)->count, 1);
	assert_int_equal(tasks_purge_deliveries(store, 6, 10, NULL), 0);
	assert_int_equal(deliveries_of(lone)->count, 0);
	assert_int_equal(deliveries_of(of_task)->count, 1);
	check_counts();
}

int tasks_deliveries_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    TASKS_CASE(test_deliveries_are_recorded_once),
	    TASKS_CASE(test_deliveries_and_changes_are_one),
	    TASKS_CASE(test_many_deliveries),
	    TASKS_CASE(test_deliveries_go_with_their_task),
	    TASKS_CASE(test_deliveries_without_a_task_go_too),
	};

	rig_settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rig_migrate, NULL);
}
