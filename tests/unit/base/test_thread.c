#include "run.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "base/thread.h"

struct seen {
	sigset_t mask;
	char name[32];
};

static void *look(void *p)
{
	struct seen *seen = p;

	pthread_sigmask(SIG_SETMASK, NULL, &seen->mask);
	thread_set_name("%s-%d", "a-name-that-is-too-long", 7);
	pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
	return seen;
}

static void test_signals_are_blocked_in_the_thread_only(void **state)
{
	struct seen seen;
	sigset_t before;
	sigset_t after;
	pthread_t id;
	void *result;

	(void)state;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(thread_start(&id, look, &seen), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(pthread_join(id, &result), 0);
	assert_ptr_equal(result, &seen);
	assert_true(sigismember(&seen.mask, SIGTERM));
	assert_true(sigismember(&seen.mask, SIGINT));
	assert_true(sigismember(&seen.mask, SIGHUP));
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
	assert_false(sigismember(&after, SIGTERM));
}

static void test_names_are_cut(void **state)
{
	struct seen seen;
	pthread_t id;

	(void)state;
	assert_int_equal(thread_start(&id, look, &seen), 0);
	assert_int_equal(pthread_join(id, NULL), 0);
	assert_string_equal(seen.name, "a-name-that-is-");
}

static void test_there_are_processors(void **state)
{
	cpu_set_t allowed;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	assert_true(thread_processors() >= (unsigned)CPU_COUNT(&allowed));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_signals_are_blocked_in_the_thread_only),
    cmocka_unit_test(test_names_are_cut),
    cmocka_unit_test(test_there_are_processors),
};

RUN_TESTS(tests)
