#include "../run.h"

#include <stdlib.h>

#include "base/timer_heap.h"

static void add(struct timer_heap *heap, struct timer *timer, int64_t due_ms)
{
	assert_int_equal(timer_heap_add(heap, timer, due_ms), 0);
}

static void expect_next(struct timer_heap *heap, struct timer *timer)
{
	assert_ptr_equal(timer_heap_first(heap), timer);
	timer_heap_remove(heap, timer);
	assert_false(timer_is_set(timer));
}

static void test_soonest_comes_first(void **state)
{
	struct timer_heap heap = {0};
	struct timer a = {0}, b = {0}, c = {0};

	(void)state;
	assert_null(timer_heap_first(&heap));
	add(&heap, &a, 30);
	add(&heap, &b, INT64_MIN);
	add(&heap, &c, INT64_MAX);
	assert_true(timer_is_set(&a));
	expect_next(&heap, &b);
	expect_next(&heap, &a);
	expect_next(&heap, &c);
	assert_null(timer_heap_first(&heap));
	timer_heap_remove(&heap, &a);
	timer_heap_finish(&heap);
}

static void test_moved_and_taken_out(void **state)
{
	struct timer_heap heap = {0};
	struct timer a = {0}, b = {0}, c = {0};

	(void)state;
	add(&heap, &a, 1);
	add(&heap, &b, 2);
	add(&heap, &c, 3);
	timer_heap_move(&heap, &a, 4);
	assert_ptr_equal(timer_heap_first(&heap), &b);
	timer_heap_move(&heap, &c, 0);
	assert_ptr_equal(timer_heap_first(&heap), &c);
	timer_heap_remove(&heap, &b);
	expect_next(&heap, &c);
	expect_next(&heap, &a);
	add(&heap, &b, 5);
	timer_heap_finish(&heap);
	assert_false(timer_is_set(&b));
}

/* Adds, moves and removes at random, and compares with looking at all of them. */
static void test_against_a_search(void **state)
{
	enum { COUNT = 200 };
	struct timer timers[COUNT] = {0};
	struct timer_heap heap = {0};

	(void)state;
	srand(1);
	for (int turn = 0; turn < 20000; turn++) {
		struct timer *timer = &timers[rand() % COUNT];
		int64_t due_ms = rand() % 1000;
		int64_t soonest = INT64_MAX;

		if (!timer_is_set(timer))
			add(&heap, timer, due_ms);
		else if (rand() % 2)
			timer_heap_move(&heap, timer, due_ms);
		else
			timer_heap_remove(&heap, timer);
		for (int i = 0; i < COUNT; i++)
			if (timer_is_set(&timers[i]) && timers[i].due_ms < soonest)
				soonest = timers[i].due_ms;
		if (heap.count > 0)
			assert_int_equal(timer_heap_first(&heap)->due_ms, soonest);
	}
	timer_heap_finish(&heap);
}

static void test_a_million(void **state)
{
	const size_t count = 1000000;
	struct timer *timers = calloc(count, sizeof(*timers));
	struct timer_heap heap = {0};
	int64_t last = INT64_MIN;
	struct timer *timer;

	(void)state;
	assert_non_null(timers);
	for (size_t i = 0; i < count; i++)
		add(&heap, &timers[i], (int64_t)(i * 7919 % count));
	/* A pointer for each, and at most as many spare. */
	assert_true(heap.capacity <= 2 * count);
	for (size_t i = 0; i < count; i++) {
		timer = timer_heap_first(&heap);
		assert_true(timer->due_ms >= last);
		last = timer->due_ms;
		timer_heap_remove(&heap, timer);
	}
	timer_heap_finish(&heap);
	free(timers);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_soonest_comes_first),
    cmocka_unit_test(test_moved_and_taken_out),
    cmocka_unit_test(test_against_a_search),
    cmocka_unit_test(test_a_million),
};

RUN_TESTS(tests)
