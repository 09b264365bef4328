#include "gateway/later.h"

#include "run.h"

#include <stdio.h>
#include <string.h>

#include "files.h"
#include "store/schedules.h"

#define ID "01930000-0000-7000-8000-000000000001"
#define OTHER "01930000-0000-7000-8000-000000000002"
#define NOW 1800000000000

static const uint8_t job[] = {0x80};

static int64_t due(struct job_when when)
{
	struct error err = {0};
	int64_t due_ms = -1;

	if (later_due(&when, NOW, &due_ms, &err) < 0)
		fail_msg("%s", err.text);
	return due_ms;
}

static void assert_refused(struct job_when when, const char *field)
{
	struct error err = {0};
	int64_t due_ms = -1;

	assert_true(later_due(&when, NOW, &due_ms, &err) < 0);
	assert_int_equal(err.code, ERROR_INVALID_JOB);
	assert_int_equal(strncmp(err.text, field, strlen(field)), 0);
	assert_int_equal(due_ms, -1);
}

static void test_when_it_is_due(void **state)
{
	(void)state;
	assert_false(later_is_wanted(&(struct job_when){0}));
	assert_true(later_is_wanted(&(struct job_when){.has_delay = true}));
	assert_int_equal(due((struct job_when){.has_delay = true}), NOW);
	assert_int_equal(due((struct job_when){.has_delay = true, .delay_ms = LATER_MAX_MS}), NOW + LATER_MAX_MS);
	assert_int_equal(due((struct job_when){.has_run_at = true, .run_at_ms = NOW + 1}), NOW + 1);
	assert_int_equal(due((struct job_when){.has_run_at = true, .run_at_ms = NOW - LATER_GRACE_MS}),
			 NOW - LATER_GRACE_MS);
}

static void test_times_that_are_refused(void **state)
{
	(void)state;
	assert_refused((struct job_when){.has_delay = true, .delay_ms = LATER_MAX_MS + 1}, "delay_ms: ");
	assert_refused((struct job_when){.has_delay = true, .delay_ms = INT64_MAX}, "delay_ms: ");
	assert_refused((struct job_when){.has_run_at = true, .run_at_ms = NOW - LATER_GRACE_MS - 1}, "run_at: ");
	assert_refused((struct job_when){.has_run_at = true, .run_at_ms = NOW + LATER_MAX_MS + 1}, "run_at: ");
	assert_refused((struct job_when){.has_run_at = true, .run_at_ms = INT64_MIN}, "run_at: ");
	assert_refused((struct job_when){.has_delay = true, .has_run_at = true, .run_at_ms = NOW}, "run_at: ");
}

static struct store *open_store(struct store_files *files)
{
	struct store_settings settings = {0};
	struct store *store;
	struct error err;

	assert_int_equal(store_files_init(files), 0);
	settings.url = files->urls[0];
	assert_int_equal(store_migrate(&settings, NULL, NULL, &err), 0);
	assert_int_equal(store_open(&store, &settings, &err), 0);
	return store;
}

static bool find(struct store *store, const char *id, struct later_task *out)
{
	struct error err = {0};
	bool found;

	if (later_find(store, id, out, &found, &err) < 0)
		fail_msg("%s", err.text);
	return found;
}

static void test_what_is_added_is_found_as_it_was_added_first(void **state)
{
	struct recent_task task = {.op = JOB_ENROLL, .accepted_at_ms = NOW, .state = TASK_PENDING, .attempt = 1};
	struct store_files files;
	struct store *store = open_store(&files);
	struct later_task found;
	struct error err;

	(void)state;
	strcpy(task.task_id, ID);
	strcpy(task.owner, "k");
	strcpy(task.scene, "batch");
	strcpy(task.user_id, "ann");
	strcpy(task.collection, "c");
	assert_false(find(store, ID, &found));
	assert_int_equal(later_add(store, &task, NOW + 5, job, sizeof(job), &err), 0);
	assert_int_equal(later_add(store, &task, NOW + 9, job, sizeof(job), &err), 0);
	assert_true(find(store, ID, &found));
	assert_int_equal(found.due_ms, NOW + 5);
	assert_string_equal(found.task.owner, "k");
	assert_string_equal(found.task.user_id, "ann");
	assert_string_equal(found.task.collection, "c");
	assert_int_equal(found.task.op, JOB_ENROLL);
	assert_int_equal(found.task.accepted_at_ms, NOW);
	store_close(store);
	store_files_finish(&files);
}

/* The id of an operator's schedule is no task's. */
static void test_other_schedules_are_no_tasks(void **state)
{
	struct schedule schedule = {.schedule_id = ID,
				    .name = "",
				    .owner = "",
				    .op = "match",
				    .scene = "batch",
				    .user_id = "",
				    .collection = "",
				    .cron = "",
				    .time_zone = "",
				    .due_ms = NOW,
				    .task_id = OTHER,
				    .job = job,
				    .job_size = sizeof(job)};
	struct store_files files;
	struct store *store = open_store(&files);
	struct later_task found;
	struct error err;
	bool inserted;

	(void)state;
	assert_int_equal(schedules_add(store, &schedule, &inserted, &err), 0);
	assert_false(find(store, ID, &found));
	assert_false(find(store, OTHER, &found));
	store_close(store);
	store_files_finish(&files);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_when_it_is_due),
    cmocka_unit_test(test_times_that_are_refused),
    cmocka_unit_test(test_what_is_added_is_found_as_it_was_added_first),
    cmocka_unit_test(test_other_schedules_are_no_tasks),
};

RUN_TESTS(tests)
