#include "http/schedule.h"

#include <stdio.h>

#include "run.h"

struct request {
	struct schedule_entry entry;
	char label;
};

static void add(struct schedule *s, struct request *request, char label, const char *origin)
{
	*request = (struct request){.label = label};
	assert_int_equal(schedule_add(s, &request->entry, origin), 0);
}

/* The label of the next one to start, '-' if none may. */
static char next(struct schedule *s)
{
	struct schedule_entry *entry = schedule_next(s);

	return entry ? ((struct request *)entry)->label : '-';
}

static void test_origins_take_turns(void **state)
{
	struct schedule *s = schedule_new(10, 0);
	struct request r[5];

	(void)state;
	add(s, &r[0], 'a', "one");
	add(s, &r[1], 'b', "one");
	add(s, &r[2], 'c', "one");
	add(s, &r[3], 'x', "two");
	add(s, &r[4], 'p', "three");
	assert_int_equal(next(s), 'a');
	assert_int_equal(next(s), 'x');
	assert_int_equal(next(s), 'p');
	assert_int_equal(next(s), 'b');
	assert_int_equal(next(s), 'c');
	assert_int_equal(next(s), '-');
	for (size_t i = 0; i < 5; i++)
		schedule_remove(s, &r[i].entry);
	schedule_free(s);
}

static void test_a_full_origin_does_not_hold_up_others(void **state)
{
	struct schedule *s = schedule_new(10, 1);
	struct request r[4];

	(void)state;
	add(s, &r[0], 'a', "slow");
	add(s, &r[1], 'b', "slow");
	add(s, &r[2], 'c', "slow");
	assert_int_equal(next(s), 'a');
	assert_int_equal(next(s), '-');
	add(s, &r[3], 'x', "quick");
	assert_int_equal(next(s), 'x');
	assert_int_equal(next(s), '-');
	schedule_remove(s, &r[0].entry);
	assert_int_equal(next(s), 'b');
	assert_int_equal(next(s), '-');
	for (size_t i = 0; i < 4; i++)
		schedule_remove(s, &r[i].entry); /* the first is out already: nothing happens */
	schedule_free(s);
}

static void test_the_total_is_never_exceeded(void **state)
{
	struct schedule *s = schedule_new(2, 2);
	struct request r[4];

	(void)state;
	add(s, &r[0], 'a', "one");
	add(s, &r[1], 'b', "one");
	add(s, &r[2], 'x', "two");
	add(s, &r[3], 'p', "three");
	assert_int_equal(next(s), 'a');
	assert_int_equal(next(s), 'x');
	assert_int_equal(next(s), '-');
	schedule_remove(s, &r[2].entry);
	assert_int_equal(next(s), 'p');
	assert_int_equal(next(s), '-');
	for (size_t i = 0; i < 4; i++)
		schedule_remove(s, &r[i].entry);
	schedule_free(s);
}

static void test_what_waits_can_leave_from_anywhere(void **state)
{
	struct schedule *s = schedule_new(10, 0);
	struct request r[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		add(s, &r[i], (char)('a' + i), "one");
	schedule_remove(s, &r[1].entry);
	schedule_remove(s, &r[3].entry);
	schedule_remove(s, &r[0].entry);
	assert_int_equal(next(s), 'c');
	assert_int_equal(next(s), '-');
	add(s, &r[0], 'A', "one");
	assert_int_equal(next(s), 'A');
	schedule_remove(s, &r[2].entry);
	schedule_remove(s, &r[0].entry);
	schedule_free(s);
}

static void test_many_origins(void **state)
{
	enum { COUNT = 2000 };
	static struct request r[COUNT];
	struct schedule *s = schedule_new(COUNT, 1);

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		char origin[32];
		snprintf(origin, sizeof(origin), "http://host-%d:80", i);
		add(s, &r[i], 'x', origin);
	}
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(schedule_next(s), &r[i].entry);
	for (int i = COUNT - 1; i >= 0; i--)
		schedule_remove(s, &r[i].entry);
	schedule_free(s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_origins_take_turns),
    cmocka_unit_test(test_a_full_origin_does_not_hold_up_others),
    cmocka_unit_test(test_the_total_is_never_exceeded),
    cmocka_unit_test(test_what_waits_can_leave_from_anywhere),
    cmocka_unit_test(test_many_origins),
};

RUN_TESTS(tests)
