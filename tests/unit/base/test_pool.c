#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/pool.h"

enum { THREADS = 3, ITEMS = 200 };

/* What a pool's threads did. */
struct record {
	atomic_int entered;
	atomic_int left;
	atomic_int ran;
	atomic_int signals_unblocked;
	atomic_bool indices[THREADS];
	int fail_index; /* enter() of this thread fails */
	struct queue *queue;
	struct queue *done;
};

/* Each thread's own state counts without a lock: no other may touch it. */
struct thread_state {
	int ran;
};

static int enter(void *arg, unsigned index, void **state)
{
	struct record *record = arg;
	sigset_t mask;

	if ((int)index == record->fail_index)
		return -ENOTSUP;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (!sigismember(&mask, SIGTERM))
		atomic_fetch_add(&record->signals_unblocked, 1);
	*state = calloc(1, sizeof(struct thread_state));
	atomic_store(&record->indices[index], true);
	atomic_fetch_add(&record->entered, 1);
	return *state ? 0 : -ENOMEM;
}

static void run(void *arg, void *state, void *item)
{
	struct record *record = arg;
	struct thread_state *own = state;

	(void)item;
	own->ran++;
	atomic_fetch_add(&record->ran, 1);
}

static void leave(void *arg, void *state)
{
	struct record *record = arg;

	atomic_fetch_add(&record->left, 1);
	free(state);
}

static const struct pool_ops ops = {.enter = enter, .run = run, .leave = leave};

static void test_stop_finishes_every_item(void **state)
{
	struct record record = {.fail_index = -1, .queue = queue_new(ITEMS)};
	struct pool *pool;
	int items[ITEMS];

	(void)state;
	for (int i = 0; i < ITEMS / 2; i++)
		assert_int_equal(queue_push(record.queue, &items[i], 0), 0);
	assert_int_equal(pool_start(&pool, "test", THREADS, record.queue, &ops, &record), 0);
	assert_int_equal(atomic_load(&record.entered), THREADS);
	for (int i = ITEMS / 2; i < ITEMS; i++)
		assert_int_equal(queue_push(record.queue, &items[i], -1), 0);
	pool_stop(pool);
	assert_int_equal(atomic_load(&record.ran), ITEMS);
	assert_int_equal(atomic_load(&record.left), THREADS);
	assert_int_equal(atomic_load(&record.signals_unblocked), 0);
	for (int i = 0; i < THREADS; i++)
		assert_true(atomic_load(&record.indices[i]));
	assert_int_equal(queue_push(record.queue, &items[0], 0), -ESHUTDOWN);
	queue_free(record.queue);
	pool_stop(NULL);
}

static void test_a_thread_that_cannot_enter(void **state)
{
	(void)state;
	for (int failing = 0; failing < THREADS; failing++) {
		struct record record = {.fail_index = failing, .queue = queue_new(1)};
		struct pool *pool = NULL;
		assert_int_equal(pool_start(&pool, "test", THREADS, record.queue, &ops, &record), -ENOTSUP);
		assert_null(pool);
		assert_int_equal(atomic_load(&record.entered), THREADS - 1);
		assert_int_equal(atomic_load(&record.left), THREADS - 1);
		queue_free(record.queue);
	}
}

/* Puts every item off, to be counted when nothing else waits. */
static void put_off(void *arg, void *state, void *item)
{
	struct thread_state *own = state;

	(void)arg;
	(void)item;
	own->ran++;
}

static void catch_up(void *arg, void *state)
{
	struct record *record = arg;
	struct thread_state *own = state;

	for (; own->ran > 0; own->ran--) {
		if (queue_push(record->done, record, -1) < 0)
			abort();
	}
}

static void test_what_was_put_off_is_done_before_waiting(void **state)
{
	static const struct pool_ops late = {.enter = enter, .run = put_off, .idle = catch_up, .leave = leave};
	struct record record = {.fail_index = -1, .queue = queue_new(ITEMS), .done = queue_new(ITEMS)};
	struct pool *pool;
	int items[ITEMS];

	(void)state;
	assert_int_equal(pool_start(&pool, "test", THREADS, record.queue, &late, &record), 0);
	for (int i = 0; i < ITEMS / 2; i++)
		assert_int_equal(queue_push(record.queue, &items[i], -1), 0);
	for (int i = 0; i < ITEMS / 2; i++)
		assert_non_null(queue_pop(record.done, -1));
	/* What comes just before the end is done too. */
	for (int i = ITEMS / 2; i < ITEMS; i++)
		assert_int_equal(queue_push(record.queue, &items[i], -1), 0);
	pool_stop(pool);
	assert_int_equal(queue_length(record.done), ITEMS - ITEMS / 2);
	while (queue_pop(record.done, 0))
		;
	queue_free(record.queue);
	queue_free(record.done);
}

/* Passes an item on into its own queue until it has been around often enough, then to `done`. */
static void run_again(void *arg, void *state, void *item)
{
	struct record *record = arg;
	bool again = !state && atomic_fetch_add(&record->ran, 1) + 1 < ITEMS;

	if (queue_push(again ? record->queue : record->done, item, -1) < 0)
		abort();
}

static void test_without_states(void **state)
{
	static const struct pool_ops bare = {.run = run_again};
	struct record record = {.queue = queue_new(1), .done = queue_new(1)};
	struct pool *pool;
	int item;

	(void)state;
	assert_int_equal(pool_start(&pool, "a long name for threads", THREADS, record.queue, &bare, &record), 0);
	assert_int_equal(queue_push(record.queue, &item, -1), 0);
	assert_ptr_equal(queue_pop(record.done, -1), &item);
	assert_int_equal(atomic_load(&record.ran), ITEMS);
	pool_stop(pool);
	queue_free(record.queue);
	queue_free(record.done);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_what_was_put_off_is_done_before_waiting),
    cmocka_unit_test(test_stop_finishes_every_item),
    cmocka_unit_test(test_a_thread_that_cannot_enter),
    cmocka_unit_test(test_without_states),
};

RUN_TESTS(tests)
