#include "run.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "cache/single_flight.h"

enum { CALLERS = 6 };

/* A computation that begins to end when the test says so. */
struct work {
	struct single_flight *flights;
	atomic_uint runs;
	atomic_bool go;
	enum error_code fail_first; /* how the first run fails */
};

struct caller {
	struct work *work;
	struct context ctx;
	int result;
	bool shared;
	struct error err;
	struct buffer out;
};

static int compute(void *arg, struct buffer *out, struct error *err)
{
	struct work *w = arg;
	unsigned run = atomic_fetch_add(&w->runs, 1);

	while (!atomic_load(&w->go))
		sched_yield();
	if (run == 0 && w->fail_first != ERROR_NONE)
		return error_set(err, w->fail_first, "no luck");
	return buffer_append(out, "value", 5);
}

static void *call(void *arg)
{
	struct caller *c = arg;

	c->result =
	    single_flight_do(&c->ctx, c->work->flights, "key", 3, compute, c->work, &c->out, &c->shared, &c->err);
	return NULL;
}

static void wait_for(struct work *w, unsigned waiting)
{
	int64_t give_up = clock_monotonic_ms() + 20000;

	while (atomic_load(&w->runs) == 0 || single_flight_waiting(w->flights) != waiting) {
		assert_true(clock_monotonic_ms() < give_up);
		sched_yield();
	}
}

static void stampede(struct work *w, struct caller callers[CALLERS])
{
	pthread_t ids[CALLERS];

	w->flights = single_flight_new();
	for (int i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){.work = w};
		assert_int_equal(pthread_create(&ids[i], NULL, call, &callers[i]), 0);
	}
	wait_for(w, CALLERS - 1);
	atomic_store(&w->go, true);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(ids[i], NULL);
	single_flight_free(w->flights);
}

static void test_a_stampede_computes_once(void **state)
{
	struct work w = {.fail_first = ERROR_NONE};
	struct caller callers[CALLERS];
	unsigned shared = 0;

	(void)state;
	stampede(&w, callers);
	assert_int_equal(w.runs, 1);
	for (int i = 0; i < CALLERS; i++) {
		assert_int_equal(callers[i].result, 0);
		assert_int_equal(callers[i].out.size, 5);
		assert_memory_equal(callers[i].out.data, "value", 5);
		shared += callers[i].shared;
		buffer_finish(&callers[i].out);
	}
	assert_int_equal(shared, CALLERS - 1);
}

static void test_an_error_is_everybodys(void **state)
{
	struct work w = {.fail_first = ERROR_STORE_UNAVAILABLE};
	struct caller callers[CALLERS];

	(void)state;
	stampede(&w, callers);
	assert_int_equal(w.runs, 1);
	for (int i = 0; i < CALLERS; i++) {
		assert_true(callers[i].result < 0);
		assert_int_equal(callers[i].err.code, ERROR_STORE_UNAVAILABLE);
		assert_int_equal(callers[i].out.size, 0);
	}
}

static void test_a_cancelled_one_is_replaced(void **state)
{
	struct work w = {.fail_first = ERROR_CANCELLED};
	struct caller callers[CALLERS];
	unsigned failed = 0;

	(void)state;
	stampede(&w, callers);
	assert_true(w.runs >= 2);
	for (int i = 0; i < CALLERS; i++) {
		failed += callers[i].result < 0;
		buffer_finish(&callers[i].out);
	}
	assert_int_equal(failed, 1);
}

static void test_waiting_ends_by_deadline_and_cancellation(void **state)
{
	struct work w = {.flights = single_flight_new()};
	struct caller computing = {.work = &w};
	struct caller late = {.work = &w, .ctx.deadline_ms = clock_monotonic_ms() + 30};
	struct caller unwanted = {.work = &w};
	pthread_t ids[3];

	(void)state;
	assert_int_equal(pthread_create(&ids[0], NULL, call, &computing), 0);
	wait_for(&w, 0);
	assert_int_equal(pthread_create(&ids[1], NULL, call, &late), 0);
	assert_int_equal(pthread_create(&ids[2], NULL, call, &unwanted), 0);
	pthread_join(ids[1], NULL);
	assert_true(late.result < 0);
	assert_int_equal(late.err.code, ERROR_DEADLINE_EXCEEDED);
	wait_for(&w, 1);
	context_cancel(&unwanted.ctx);
	pthread_join(ids[2], NULL);
	assert_int_equal(unwanted.err.code, ERROR_CANCELLED);
	atomic_store(&w.go, true);
	pthread_join(ids[0], NULL);
	assert_int_equal(computing.result, 0);
	assert_int_equal(w.runs, 1);
	buffer_finish(&computing.out);
	single_flight_free(w.flights);
}

/* A store that is too slow for one in a hurry is not too slow for all. */
static void test_an_error_at_the_end_of_ones_time_is_ones_own(void **state)
{
	struct work w = {.flights = single_flight_new(), .fail_first = ERROR_STORE_UNAVAILABLE};
	struct caller hurried = {.work = &w, .ctx.deadline_ms = clock_monotonic_ms() + 30};
	struct caller patient = {.work = &w};
	pthread_t ids[2];

	(void)state;
	assert_int_equal(pthread_create(&ids[0], NULL, call, &hurried), 0);
	wait_for(&w, 0);
	assert_int_equal(pthread_create(&ids[1], NULL, call, &patient), 0);
	wait_for(&w, 1);
	while (clock_monotonic_ms() < hurried.ctx.deadline_ms)
		sched_yield();
	atomic_store(&w.go, true);
	pthread_join(ids[0], NULL);
	pthread_join(ids[1], NULL);
	assert_int_equal(hurried.err.code, ERROR_STORE_UNAVAILABLE);
	assert_int_equal(patient.result, 0);
	assert_int_equal(w.runs, 2);
	buffer_finish(&patient.out);
	single_flight_free(w.flights);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_stampede_computes_once),
    cmocka_unit_test(test_an_error_is_everybodys),
    cmocka_unit_test(test_a_cancelled_one_is_replaced),
    cmocka_unit_test(test_an_error_at_the_end_of_ones_time_is_ones_own),
    cmocka_unit_test(test_waiting_ends_by_deadline_and_cancellation),
};
RUN_TESTS(tests)
