#include "../run.h"

#include <stdio.h>

#include "scheduler/window.h"
#include "scratch.h"
#include "store/store_private.h"

#define NOW_MS INT64_C(1795608000000)
#define HOUR_MS INT64_C(3600000)

static bool exclude(void *arg, const char *schedule_id)
{
	const unsigned *number = arg;

	return scratch_number(schedule_id) == *number;
}

static void fill(struct window *window, struct store *store, int64_t now_ms, unsigned excluded)
{
	struct error err = {0};

	if (window_fill(window, store, now_ms, exclude, &excluded, &err) < 0)
		fail_msg("%s", err.text);
}

static void expect_next(struct window *window, int64_t now_ms, unsigned number)
{
	struct window_entry entry;

	assert_true(window_take(window, now_ms, &entry));
	assert_int_equal(scratch_number(entry.schedule_id), number);
}

static void test_holds_the_next_hour(void **state)
{
	struct scratch *scratch = *state;
	struct window_entry entry;
	struct window window;

	scratch_add(scratch->store, 1, NOW_MS + 2 * HOUR_MS, 0, MISFIRE_RUN_ONCE);
	scratch_add(scratch->store, 2, NOW_MS + 1000, 0, MISFIRE_RUN_ONCE);
	scratch_add(scratch->store, 3, NOW_MS - 1000, 0, MISFIRE_RUN_ONCE);
	scratch_add(scratch->store, 4, NOW_MS, 0, MISFIRE_RUN_ONCE);
	assert_int_equal(window_init(&window), 0);
	assert_true(window_is_due(&window, NOW_MS));
	fill(&window, scratch->store, NOW_MS, 4);
	assert_false(window_is_due(&window, NOW_MS));
	assert_int_equal(window_size(&window), 2);
	assert_int_equal(window_next_ms(&window), NOW_MS - 1000);
	expect_next(&window, NOW_MS, 3);
	assert_false(window_take(&window, NOW_MS, &entry));
	expect_next(&window, NOW_MS + 1000, 2);
	assert_int_equal(window_next_ms(&window), INT64_MAX);
	/* Before its end, and once more only when the time has moved on. */
	assert_true(window_is_due(&window, NOW_MS + HOUR_MS - 5000));
	fill(&window, scratch->store, NOW_MS + HOUR_MS, 4);
	assert_int_equal(window_size(&window), 2); /* what is still in the table is back, and the first */
	window_finish(&window);
}

static void test_what_comes_back(void **state)
{
	struct scratch *scratch = *state;
	struct window window;

	assert_int_equal(window_init(&window), 0);
	fill(&window, scratch->store, NOW_MS, 0);
	window_add(&window, "00000000-0000-7000-8000-000000000007", NOW_MS + HOUR_MS - 1, false);
	window_add(&window, "00000000-0000-7000-8000-000000000008", NOW_MS + HOUR_MS, false);
	assert_int_equal(window_size(&window), 1);
	expect_next(&window, NOW_MS + HOUR_MS, 7);
	window_clear(&window);
	assert_true(window_is_due(&window, NOW_MS));
	window_finish(&window);
}

static void test_what_may_be_skipped(void **state)
{
	struct scratch *scratch = *state;
	char task_id[UUID_SIZE] = "00000000-0000-7000-8000-000000000099";
	struct window_entry entry;
	struct window window;
	bool found;

	scratch_add(scratch->store, 1, NOW_MS + 1, 60000, MISFIRE_SKIP);
	scratch_add(scratch->store, 2, NOW_MS + 2, 60000, MISFIRE_RUN_ONCE);
	scratch_add(scratch->store, 3, NOW_MS + 3, 0, MISFIRE_SKIP); /* once: never */
	scratch_add(scratch->store, 4, NOW_MS + 4, 60000, MISFIRE_SKIP);
	/* Asked for: not missed. */
	assert_int_equal(schedules_run_now(scratch->store, "00000000-0000-7000-8000-000000000004", NOW_MS + 4, task_id,
					   &found, NULL),
			 0);
	assert_int_equal(window_init(&window), 0);
	fill(&window, scratch->store, NOW_MS, 0);
	for (unsigned number = 1; number <= 4; number++) {
		assert_true(window_take(&window, NOW_MS + 10, &entry));
		assert_int_equal(scratch_number(entry.schedule_id), number);
		assert_int_equal(entry.may_skip, number == 1);
	}
	window_finish(&window);
}

/* More than there is room for: the soonest, and the rest when those are gone. */
static void test_more_than_its_room(void **state)
{
	struct scratch *scratch = *state;
	struct window_entry entry;
	struct window window;
	unsigned taken = 0;

	assert_int_equal(database_execute(scratch->store->database, "BEGIN", NULL, 0, NULL), 0);
	for (unsigned i = 0; i < WINDOW_MAX_ENTRIES + 5; i++) {
		char sql[256];

		snprintf(sql, sizeof(sql),
			 "INSERT INTO schedules VALUES ('00000000-0000-7000-8000-%012x', '', '', 'op', 'batch', '', '',"
			 " '', '', 0, 0, %lld, '', 0, 0, x'80')",
			 i, (long long)NOW_MS + i);
		assert_int_equal(database_execute(scratch->store->database, sql, NULL, 0, NULL), 0);
	}
	assert_int_equal(database_execute(scratch->store->database, "COMMIT", NULL, 0, NULL), 0);
	assert_int_equal(window_init(&window), 0);
	fill(&window, scratch->store, NOW_MS, UINT32_MAX);
	assert_int_equal(window_size(&window), WINDOW_MAX_ENTRIES);
	assert_int_equal(window.until_ms, NOW_MS + WINDOW_MAX_ENTRIES - 1);
	/* What comes back beyond its end is left to the table. */
	window_add(&window, "00000000-0000-7000-8000-000000ffffff", NOW_MS + WINDOW_MAX_ENTRIES - 1, false);
	assert_int_equal(window_size(&window), WINDOW_MAX_ENTRIES);
	while (window_take(&window, NOW_MS + HOUR_MS, &entry))
		assert_int_equal(scratch_number(entry.schedule_id), taken++);
	assert_int_equal(taken, WINDOW_MAX_ENTRIES);
	assert_true(window_is_due(&window, NOW_MS + WINDOW_MAX_ENTRIES));
	window_finish(&window);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_holds_the_next_hour),
    CASE(test_what_comes_back),
    CASE(test_what_may_be_skipped),
    CASE(test_more_than_its_room),
};

RUN_TESTS(tests)
