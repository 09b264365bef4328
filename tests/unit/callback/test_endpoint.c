#include "run.h"

#include "callback/endpoint.h"

#define SLOW "https://slow:443"
#define FAST "https://fast:443"

static void enter(struct endpoints *endpoints, struct endpoint_place *place, const char *origin, int64_t now_ms)
{
	*place = (struct endpoint_place){0};
	assert_int_equal(endpoints_enter(endpoints, place, origin, now_ms), 0);
}

static void runs_up_to_the_limit_then_in_order(void **state)
{
	(void)state;
	struct endpoints *endpoints = endpoints_new(2);
	struct endpoint_place p[5];

	for (int i = 0; i < 4; i++)
		enter(endpoints, &p[i], SLOW, 0);
	enter(endpoints, &p[4], FAST, 0);
	assert_true(p[0].running && p[1].running && p[4].running);
	assert_false(p[2].running || p[3].running);
	assert_int_equal(endpoints_running(endpoints), 3);
	assert_int_equal(endpoints_waiting(endpoints), 2);

	assert_ptr_equal(endpoints_leave(endpoints, &p[1]), &p[2]);
	assert_true(p[2].running);
	assert_ptr_equal(endpoints_leave(endpoints, &p[0]), &p[3]);
	assert_null(endpoints_leave(endpoints, &p[2]));
	assert_null(endpoints_leave(endpoints, &p[3]));
	assert_null(endpoints_leave(endpoints, &p[4]));
	assert_int_equal(endpoints_running(endpoints), 0);
	assert_int_equal(endpoints_waiting(endpoints), 0);
	endpoints_free(endpoints);
}

static void a_raised_limit_lets_the_line_move_up(void **state)
{
	(void)state;
	struct endpoints *endpoints = endpoints_new(1);
	struct endpoint_place p[4];

	for (int i = 0; i < 4; i++)
		enter(endpoints, &p[i], SLOW, 0);
	assert_null(endpoints_start_next(endpoints));
	endpoints_set_limit(endpoints, 3);
	assert_ptr_equal(endpoints_start_next(endpoints), &p[1]);
	assert_ptr_equal(endpoints_start_next(endpoints), &p[2]);
	assert_null(endpoints_start_next(endpoints));
	assert_int_equal(endpoints_running(endpoints), 3);

	/* A lowered one holds as places come free. */
	endpoints_set_limit(endpoints, 1);
	assert_null(endpoints_leave(endpoints, &p[0]));
	assert_null(endpoints_leave(endpoints, &p[1]));
	assert_ptr_equal(endpoints_leave(endpoints, &p[2]), &p[3]);
	assert_null(endpoints_leave(endpoints, &p[3]));
	endpoints_free(endpoints);
}

static void a_place_may_leave_the_line(void **state)
{
	(void)state;
	struct endpoints *endpoints = endpoints_new(1);
	struct endpoint_place p[3];

	for (int i = 0; i < 3; i++)
		enter(endpoints, &p[i], SLOW, 0);
	assert_null(endpoints_leave(endpoints, &p[1]));
	assert_ptr_equal(endpoints_leave(endpoints, &p[0]), &p[2]);
	assert_null(endpoints_leave(endpoints, &p[2]));
	endpoints_free(endpoints);
}

static void sheds_only_what_a_slow_endpoint_may_not_keep(void **state)
{
	(void)state;
	struct endpoints *endpoints = endpoints_new(2);
	struct endpoint_place p[7];
	struct endpoint_place other;

	for (int i = 0; i < 7; i++)
		enter(endpoints, &p[i], SLOW, 100);
	enter(endpoints, &other, FAST, 100);
	assert_null(endpoints_shed(endpoints, 100 + ENDPOINT_PATIENCE_MS - 1));
	assert_ptr_equal(endpoints_shed(endpoints, 100 + ENDPOINT_PATIENCE_MS), &p[6]);
	assert_ptr_equal(endpoints_shed(endpoints, 100 + ENDPOINT_PATIENCE_MS), &p[5]);
	assert_ptr_equal(endpoints_shed(endpoints, 100 + ENDPOINT_PATIENCE_MS), &p[4]);
	assert_null(endpoints_shed(endpoints, 100 + ENDPOINT_PATIENCE_MS));
	assert_null(p[6].endpoint);
	assert_int_equal(endpoints_waiting(endpoints), 2);
	assert_int_equal(endpoints_running(endpoints), 3);
	endpoints_free(endpoints);
}

static void a_line_that_moves_is_kept(void **state)
{
	(void)state;
	struct endpoints *endpoints = endpoints_new(1);
	struct endpoint_place p[4];

	enter(endpoints, &p[0], FAST, 0);
	enter(endpoints, &p[1], FAST, 0);
	enter(endpoints, &p[2], FAST, 900);
	enter(endpoints, &p[3], FAST, 900);
	assert_ptr_equal(endpoints_leave(endpoints, &p[0]), &p[1]);
	assert_null(endpoints_shed(endpoints, ENDPOINT_PATIENCE_MS));
	assert_ptr_equal(endpoints_shed(endpoints, 900 + ENDPOINT_PATIENCE_MS), &p[3]);
	endpoints_free(endpoints);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(runs_up_to_the_limit_then_in_order),
    cmocka_unit_test(a_raised_limit_lets_the_line_move_up),
    cmocka_unit_test(a_place_may_leave_the_line),
    cmocka_unit_test(sheds_only_what_a_slow_endpoint_may_not_keep),
    cmocka_unit_test(a_line_that_moves_is_kept),
};

RUN_TESTS(tests)
