#include "run.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/queue.h"

static int items[8];

static void test_order(void **state)
{
	struct queue *q = queue_new(3);

	(void)state;
	assert_non_null(q);
	/* Around the ring more than once. */
	for (int round = 0; round < 5; round++) {
		assert_int_equal(queue_push(q, &items[0], 0), 0);
		assert_int_equal(queue_push(q, &items[1], 0), 0);
		assert_int_equal(queue_length(q), 2);
		assert_ptr_equal(queue_pop(q, 0), &items[0]);
		assert_ptr_equal(queue_pop(q, 0), &items[1]);
	}
	assert_null(queue_pop(q, 0));
	queue_free(q);
}

static void test_urgent_items_go_first(void **state)
{
	struct queue *q = queue_new(5);

	(void)state;
	for (int round = 0; round < 4; round++) {
		assert_int_equal(queue_push(q, &items[0], 0), 0);
		assert_int_equal(queue_push_urgent(q, &items[1], 0), 0);
		assert_int_equal(queue_push(q, &items[2], 0), 0);
		assert_int_equal(queue_push_urgent(q, &items[3], 0), 0);
		assert_ptr_equal(queue_pop(q, 0), &items[1]);
		assert_ptr_equal(queue_pop(q, 0), &items[3]);
		assert_ptr_equal(queue_pop(q, 0), &items[0]);
		assert_ptr_equal(queue_pop(q, 0), &items[2]);
	}
	queue_free(q);
}

static void test_capacity_is_shared(void **state)
{
	struct queue *q = queue_new(2);

	(void)state;
	assert_int_equal(queue_push(q, &items[0], 0), 0);
	assert_int_equal(queue_push_urgent(q, &items[1], 0), 0);
	assert_int_equal(queue_push(q, &items[2], 0), -EAGAIN);
	assert_int_equal(queue_push_urgent(q, &items[2], 0), -EAGAIN);
	assert_int_equal(queue_push(q, &items[2], 1), -EAGAIN);
	assert_ptr_equal(queue_pop(q, 0), &items[1]);
	assert_int_equal(queue_push_urgent(q, &items[2], 0), 0);
	assert_int_equal(queue_length(q), 2);
	queue_free(q);
}

static void test_waits_end(void **state)
{
	struct queue *q = queue_new(1);

	(void)state;
	assert_null(queue_pop(q, 1));
	assert_int_equal(queue_push(q, &items[0], 1), 0);
	assert_int_equal(queue_push(q, &items[1], 1), -EAGAIN);
	assert_ptr_equal(queue_pop(q, 1), &items[0]);
	queue_free(q);
}

static void test_closed(void **state)
{
	struct queue *q = queue_new(2);

	(void)state;
	assert_int_equal(queue_push(q, &items[0], 0), 0);
	queue_close(q);
	queue_close(q);
	assert_int_equal(queue_push(q, &items[1], -1), -ESHUTDOWN);
	assert_int_equal(queue_push_urgent(q, &items[1], 0), -ESHUTDOWN);
	assert_ptr_equal(queue_pop(q, -1), &items[0]);
	assert_null(queue_pop(q, -1));
	queue_free(q);
	queue_free(NULL);
}

/* A thread that waits without a time limit, and what came of it. */
struct waiter {
	struct queue *q;
	void *item;
	int result;
};

static void *wait_for_room(void *p)
{
	struct waiter *w = p;

	w->result = queue_push(w->q, &items[1], -1);
	return NULL;
}

static void *wait_for_item(void *p)
{
	struct waiter *w = p;

	w->item = queue_pop(w->q, -1);
	return NULL;
}

static void test_a_pop_lets_a_push_in(void **state)
{
	struct waiter w = {.q = queue_new(1), .result = -1};
	pthread_t id;

	(void)state;
	assert_int_equal(queue_push(w.q, &items[0], 0), 0);
	assert_int_equal(pthread_create(&id, NULL, wait_for_room, &w), 0);
	assert_ptr_equal(queue_pop(w.q, -1), &items[0]);
	assert_ptr_equal(queue_pop(w.q, -1), &items[1]);
	pthread_join(id, NULL);
	assert_int_equal(w.result, 0);
	queue_free(w.q);
}

static void test_a_push_wakes_a_pop(void **state)
{
	struct waiter w = {.q = queue_new(1)};
	pthread_t id;

	(void)state;
	assert_int_equal(pthread_create(&id, NULL, wait_for_item, &w), 0);
	assert_int_equal(queue_push_urgent(w.q, &items[3], -1), 0);
	pthread_join(id, NULL);
	assert_ptr_equal(w.item, &items[3]);
	queue_free(w.q);
}

static void test_close_wakes_everyone(void **state)
{
	struct queue *q = queue_new(1);
	struct queue *full = queue_new(1);
	struct waiter waiters[6];
	pthread_t ids[6];

	(void)state;
	assert_int_equal(queue_push(full, &items[0], 0), 0);
	for (int i = 0; i < 6; i++) {
		waiters[i] = (struct waiter){.q = i % 2 ? full : q, .item = &items[7]};
		assert_int_equal(pthread_create(&ids[i], NULL, i % 2 ? wait_for_room : wait_for_item, &waiters[i]), 0);
	}
	queue_close(q);
	queue_close(full);
	for (int i = 0; i < 6; i++) {
		pthread_join(ids[i], NULL);
		if (i % 2)
			assert_int_equal(waiters[i].result, -ESHUTDOWN);
		else
			assert_null(waiters[i].item);
	}
	queue_free(q);
	queue_free(full);
}

enum { PRODUCERS = 4, CONSUMERS = 3, PER_PRODUCER = 5000 };

/* Every item is one counter, which ends at 1 if it went through exactly once. */
static atomic_int counters[PRODUCERS][PER_PRODUCER];

struct producer {
	struct queue *q;
	int number;
};

static void *produce(void *p)
{
	const struct producer *self = p;

	for (int i = 0; i < PER_PRODUCER; i++) {
		void *item = &counters[self->number][i];
		int r = i % 7 == 0 ? queue_push_urgent(self->q, item, -1) : queue_push(self->q, item, 100000);
		if (r < 0)
			return p;
	}
	return NULL;
}

static void *consume(void *q)
{
	atomic_int *counter;

	while ((counter = queue_pop(q, -1)))
		atomic_fetch_add(counter, 1);
	return NULL;
}

static void test_many_threads(void **state)
{
	struct queue *q = queue_new(5);
	struct producer producers[PRODUCERS];
	pthread_t ids[PRODUCERS + CONSUMERS];
	void *failed;

	(void)state;
	for (int i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){.q = q, .number = i};
		assert_int_equal(pthread_create(&ids[i], NULL, produce, &producers[i]), 0);
	}
	for (int i = 0; i < CONSUMERS; i++)
		assert_int_equal(pthread_create(&ids[PRODUCERS + i], NULL, consume, q), 0);
	for (int i = 0; i < PRODUCERS; i++) {
		pthread_join(ids[i], &failed);
		assert_null(failed);
	}
	queue_close(q);
	for (int i = 0; i < CONSUMERS; i++)
		pthread_join(ids[PRODUCERS + i], NULL);
	for (int i = 0; i < PRODUCERS; i++)
		for (int k = 0; k < PER_PRODUCER; k++)
			assert_int_equal(atomic_load(&counters[i][k]), 1);
	queue_free(q);
}

static void test_impossible_capacity(void **state)
{
	(void)state;
	assert_null(queue_new(SIZE_MAX));
	assert_null(queue_new(SIZE_MAX / sizeof(void *)));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_order),
    cmocka_unit_test(test_urgent_items_go_first),
    cmocka_unit_test(test_capacity_is_shared),
    cmocka_unit_test(test_waits_end),
    cmocka_unit_test(test_closed),
    cmocka_unit_test(test_a_pop_lets_a_push_in),
    cmocka_unit_test(test_a_push_wakes_a_pop),
    cmocka_unit_test(test_close_wakes_everyone),
    cmocka_unit_test(test_many_threads),
    cmocka_unit_test(test_impossible_capacity),
};

RUN_TESTS(tests)
