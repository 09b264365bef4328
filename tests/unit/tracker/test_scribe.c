#include "run.h"

#include <string.h>

#include "../store/files.h"
#include "base/clock.h"
#include "tracker/scribe.h"
#include "wait.h"

static bool is_never_caught_up(void *arg)
{
	(void)arg;
	return false;
}

static void a_thread_that_hangs_is_seen(void **state)
{
	struct metrics *metrics = metrics_new();
	struct store_files files;
	struct scribe *scribe;
	struct meters meters;
	struct error err = {0};
	char why[128] = "";

	(void)state;
	assert_int_equal(store_files_init(&files), 0);
	const struct store_settings store = {.url = files.urls[0], .timeout_ms = 20000};
	assert_int_equal(store_migrate(&store, NULL, NULL, &err), 0);
	meters_init(&meters, metrics);
	const struct scribe_settings settings = {
	    .store = store,
	    .sweeper = {.name = "tracker", .lease_ms = 60000, .caught_up = is_never_caught_up, .meters = &meters},
	    .meters = &meters,
	};
	assert_int_equal(scribe_start(&scribe, &settings, &err), 0);
	assert_true(scribe_holds(scribe, clock_monotonic_ms(), why, sizeof(why)));
	assert_string_equal(why, "");
	/* As it is so long after its last turn. */
	int64_t last_ms = clock_monotonic_ms();
	assert_false(scribe_holds(scribe, last_ms + 2 * SCRIBE_TURN_MS, why, sizeof(why)));
	assert_non_null(strstr(why, "store's thread"));
	/* It turns without anything to do. */
	WAIT_UNTIL(scribe_holds(scribe, last_ms + SCRIBE_TURN_MS + 1, why, sizeof(why)));
	scribe_stop(scribe);
	metrics_free(metrics);
	store_files_finish(&files);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_thread_that_hangs_is_seen),
};

RUN_TESTS(tests)
