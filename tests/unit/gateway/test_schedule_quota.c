#include "gateway/schedule_quota.h"

#include "run.h"

#include <stdio.h>
#include <string.h>

#include "files.h"
#include "store/schedules.h"

#define NOW INT64_C(1000000)
#define MAX 3

static struct store_files files;
static struct store *store;
static struct schedule_quota *quota;
static unsigned number;

static int set_up(void **state)
{
	struct store_settings settings = {0};
	struct error err = {0};

	(void)state;
	if (store_files_init(&files) < 0)
		return -1;
	settings.url = files.urls[0];
	quota = schedule_quota_new(4);
	return quota && store_migrate(&settings, NULL, NULL, &err) == 0 && store_open(&store, &settings, &err) == 0
		   ? 0
		   : -1;
}

static int tear_down(void **state)
{
	(void)state;
	schedule_quota_free(quota);
	store_close(store);
	store_files_finish(&files);
	return 0;
}

static void add(const char *owner)
{
	struct schedule schedule = {
	    .name = "",
	    .owner = owner,
	    .op = "match",
	    .scene = "batch",
	    .user_id = "",
	    .collection = "",
	    .cron = "",
	    .time_zone = "",
	    .due_ms = 1,
	    .job = (const uint8_t *)"\x80",
	    .job_size = 1,
	};
	struct error err = {0};
	bool inserted;

	snprintf(schedule.schedule_id, UUID_SIZE, "01930000-0000-7000-8000-%012u", ++number);
	if (schedules_add(store, &schedule, &inserted, &err) < 0)
		fail_msg("%s", err.text);
}

static bool take(const char *owner, int64_t now_ms)
{
	struct error err = {0};
	bool allowed = false;

	if (schedule_quota_take(quota, store, owner, MAX, now_ms, &allowed, &err) < 0)
		fail_msg("%s", err.text);
	return allowed;
}

static void test_what_is_there_counts(void **state)
{
	(void)state;
	add("ann");
	add("ann");
	add("ben");
	assert_true(take("ann", NOW));
	assert_false(take("ann", NOW));
	assert_true(take("ben", NOW));
	assert_true(take("", NOW));
}

static void test_counted_again_after_a_while(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MAX; i++)
		assert_true(take("ann", NOW)); /* and never added */
	assert_false(take("ann", NOW + SCHEDULE_QUOTA_FRESH_MS - 1));
	assert_true(take("ann", NOW + SCHEDULE_QUOTA_FRESH_MS));
	for (unsigned i = 0; i < 2 * MAX; i++)
		add("ann");
	assert_false(take("ann", NOW + 2 * SCHEDULE_QUOTA_FRESH_MS));
}

static void test_without_limit(void **state)
{
	struct error err = {0};
	bool allowed = false;

	(void)state;
	/* Nothing is counted. */
	assert_int_equal(schedule_quota_take(quota, NULL, "ann", 0, NOW, &allowed, &err), 0);
	assert_true(allowed);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_what_is_there_counts),
    CASE(test_counted_again_after_a_while),
    CASE(test_without_limit),
};

RUN_TESTS(tests)
