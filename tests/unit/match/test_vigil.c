#include "run.h"

#include <string.h>

#include "vigil.h"

#define NOW 1000000

static struct vigil *vigil;

static int set_up(void **state)
{
	(void)state;
	vigil = vigil_new(3, NOW);
	return vigil ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	vigil_free(vigil);
	return 0;
}

static bool holds(int64_t now_ms, const char *word)
{
	char why[128] = "";
	bool held = vigil_holds(vigil, now_ms, why, sizeof(why));

	if (!held && !strstr(why, word))
		fail_msg("%s is not in \"%s\"", word, why);
	return held;
}

static void the_main_thread_has_to_turn(void **state)
{
	(void)state;
	assert_true(holds(NOW + VIGIL_TURN_MS, ""));
	assert_false(holds(NOW + VIGIL_TURN_MS + 1, "main"));
	vigil_turn(vigil, NOW + VIGIL_TURN_MS + 1);
	assert_true(holds(NOW + VIGIL_TURN_MS + 1, ""));
}

static void no_task_takes_for_ever(void **state)
{
	int64_t later = NOW + VIGIL_TASK_MS;

	(void)state;
	vigil_begin(vigil, 0, NOW);
	vigil_begin(vigil, 2, NOW);
	vigil_turn(vigil, later);
	assert_true(holds(later, ""));
	vigil_end(vigil, 0);
	assert_false(holds(later + 1, "compute thread 2"));
	vigil_end(vigil, 2);
	assert_true(holds(later + 1, ""));
	/* The next one has all its time. */
	vigil_begin(vigil, 2, later);
	assert_true(holds(later + 1, ""));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(the_main_thread_has_to_turn),
    CASE(no_task_takes_for_ever),
};

RUN_TESTS(tests)
