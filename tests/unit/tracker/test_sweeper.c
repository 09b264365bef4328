#include "run.h"

#include <string.h>

#include "../store/files.h"
#include "store/tasks.h"
#include "tracker/sweeper.h"

static struct store_files files;
static struct store *store;
static struct metrics *registry;
static struct meters meters;

static int set_up(void **state)
{
	struct error err = {0};

	(void)state;
	if (store_files_init(&files) < 0)
		return -1;
	const struct store_settings settings = {.url = files.urls[0], .timeout_ms = 20000};
	registry = metrics_new();
	meters_init(&meters, registry);
	return store_migrate(&settings, NULL, NULL, &err) < 0 ? -1 : store_open(&store, &settings, &err);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	metrics_free(registry);
	store_files_finish(&files);
	return 0;
}

static bool is_never_caught_up(void *arg)
{
	(void)arg;
	return false;
}

static int count_delivery(void *arg, const struct delivery_report *report, struct error *err)
{
	(void)report;
	(void)err;
	++*(unsigned *)arg;
	return 0;
}

static unsigned deliveries_of(const char *id)
{
	struct error err = {0};
	unsigned count = 0;

	if (tasks_deliveries(store, id, count_delivery, &count, &err) < 0)
		fail_msg("%s", err.text);
	return count;
}

static void sweep(struct sweeper *sweeper)
{
	struct error err = {0};

	if (sweeper_run(sweeper, store, &err) < 0)
		fail_msg("%s", err.text);
}

/* Of a task that went before its last delivery came; the time is one that was set while the tracker ran. */
static void test_late_deliveries_are_kept_as_long_as_tasks(void **state)
{
	const struct sweeper_settings settings = {
	    .lease_ms = 1000, .keep_ms = 3600000, .caught_up = is_never_caught_up, .meters = &meters};
	struct sweeper *sweeper = sweeper_new(&settings);
	struct delivery_report report = {.at_ms = 1000, .attempt = 1, .outcome = DELIVERY_OUTCOME_PARKED};
	const struct delivery_report *reports[] = {&report};
	const struct tasks_news news = {.deliveries = reports, .delivery_count = 1};
	struct error err = {0};

	(void)state;
	assert_non_null(sweeper);
	uuid_v7(report.task_id);
	assert_int_equal(tasks_record(store, &news, NULL, &err), 0);
	sweep(sweeper);
	assert_int_equal(deliveries_of(report.task_id), 1);
	/* All that was recorded before now. */
	sweeper_set_times(sweeper, 1000, -1000);
	sweep(sweeper);
	assert_int_equal(deliveries_of(report.task_id), 0);
	sweeper_free(sweeper);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_late_deliveries_are_kept_as_long_as_tasks, set_up, tear_down),
};

RUN_TESTS(tests)
