/* The client with servers that are no Redis. Those that are: tests/integration/cache. */
#include "run.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cache/redis.h"
#include "fake_redis.h"
#include "wait.h"

static const struct redis_argument get[] = {{"GET", 3}, {"key", 3}};

/* --- a resolver that hangs when the test says so (see meson.build) --- */

static atomic_bool resolver_hangs;
static atomic_uint resolving;

int __real_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out);

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	atomic_fetch_add(&resolving, 1);
	while (atomic_load(&resolver_hangs))
		usleep(1000);
	int r = __real_getaddrinfo(node, service, hints, out);
	atomic_fetch_sub(&resolving, 1);
	return r;
}

/* --- helpers --- */

static bool is_value(void *arg, const struct redisReply *reply)
{
	(void)arg;
	return reply->type == REDIS_REPLY_STRING && strcmp(reply->str, "value") == 0;
}

static int ask(struct redis *redis)
{
	return redis_command(redis, NULL, get, 2, is_value, NULL);
}

static struct redis *make(const char *url, struct metrics *metrics, int64_t timeout_ms)
{
	struct redis *redis;
	struct error err = {0};

	assert_int_equal(redis_new(&redis,
				   &(struct redis_settings){
				       .url = url, .timeout_ms = timeout_ms, .connections = 1, .metrics = metrics},
				   &err),
			 0);
	return redis;
}

static void wait_until_up(struct redis *redis)
{
	WAIT_UNTIL(redis_is_up(redis));
}

static double counted(struct metrics *metrics, const char *outcome)
{
	return metric_value(metrics_counter(metrics, "facefleet_redis_commands_total",
					    "Commands to Redis, by what became of them.",
					    (const char *const[]){"outcome", outcome, NULL}));
}

static double up(struct metrics *metrics)
{
	return metric_value(
	    metrics_gauge(metrics, "facefleet_redis_up", "1 while a connection to Redis is open.", NULL));
}

/* --- tests --- */

#define ANSWER(t, ...)                                                                                                 \
	{                                                                                                              \
		.text = (t), .size = sizeof(t) - 1, __VA_ARGS__                                                        \
	}

static const struct fake_redis_answer good = ANSWER("$5\r\nvalue\r\n", .piece = 0);

static void test_answers_of_all_kinds(void **state)
{
	static const struct {
		struct fake_redis_answer answer;
		int result;
		const char *outcome;
		bool closes;
	} cases[] = {
	    {ANSWER("$5\r\nvalue\r\n", .piece = 1), 0, "ok", false},
	    {ANSWER("-OOM command not allowed\r\n", .piece = 0), -EREMOTEIO, "error", false},
	    {ANSWER("$5\r\nother\r\n", .piece = 0), -EPROTO, "garbage", true},
	    {ANSWER("*-1\r\n", .piece = 0), -EPROTO, "garbage", true},
	    {ANSWER("*1000000000\r\n", .piece = 0), -EPROTO, "garbage", true},
	    {ANSWER("*1025\r\n", .piece = 0), -EPROTO, "garbage", true},
	    {ANSWER("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", .piece = 0), -EPROTO, "garbage",
	     true},
	    {ANSWER("$5\r\nvalue\r\n$5\r\nvalue\r\n", .piece = 0), -EPROTO, "garbage", true},
	    {ANSWER("HTTP/1.1 400 Bad Request\r\n", .piece = 0), -EPROTO, "garbage", true},
	    {ANSWER("$5\r\nval", .then = FAKE_CLOSES), -EAGAIN, "unavailable", true},
	    {ANSWER("", .then = FAKE_CLOSES), -EAGAIN, "unavailable", true},
	};
	struct fake_redis *fake = fake_redis_new();
	struct metrics *metrics = metrics_new();
	struct redis *redis = make(fake_redis_url(fake), metrics, 20000);

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		wait_until_up(redis);
		assert_true(up(metrics) == 1);
		unsigned connections = fake_redis_connections(fake);
		double before = counted(metrics, cases[i].outcome);
		fake_redis_answers(fake, &cases[i].answer);
		int r = ask(redis);
		if (r != cases[i].result)
			fail_msg("%s: %d", cases[i].answer.text, r);
		assert_true(counted(metrics, cases[i].outcome) == before + 1);
		/* Then it works with a good one, over a new connection if need be. */
		wait_until_up(redis);
		fake_redis_answers(fake, &good);
		assert_int_equal(ask(redis), 0);
		assert_int_equal(fake_redis_connections(fake), connections + cases[i].closes);
	}
	redis_free(redis);
	assert_true(up(metrics) == 0);
	fake_redis_free(fake);
	metrics_free(metrics);
}

/* What never becomes whole ends with the time there is, not with the server's patience. */
static void test_answers_without_end(void **state)
{
	static const struct fake_redis_answer endless[] = {
	    ANSWER("$1000000000\r\nx", .piece = 0),
	    ANSWER("*1024\r\n$9223372036854775807\r\n", .piece = 0),
	    ANSWER("$1000\r\n....................................................................................",
		   .piece = 1),
	    ANSWER("*2\r\n", .piece = 0),
	};
	struct fake_redis *fake = fake_redis_new();

	(void)state;
	for (size_t i = 0; i < array_size(endless); i++) {
		/* Each with a client of its own, whose breaker knows nothing of the others. */
		struct metrics *metrics = metrics_new();
		struct redis *redis = make(fake_redis_url(fake), metrics, 100);

		wait_until_up(redis);
		fake_redis_answers(fake, &endless[i]);
		assert_int_equal(ask(redis), -EAGAIN);
		assert_true(counted(metrics, "timeout") == 1);
		/* Nobody gets the rest of it as an answer. */
		assert_int_equal(ask(redis), -EAGAIN);
		redis_free(redis);
		metrics_free(metrics);
	}
	fake_redis_free(fake);
}

/*
 * What comes after an answer is not the answer to the next command, unless it comes so late that nobody can tell; then
 * it is the next answer that comes after.
 */
static void test_an_answer_nobody_asked_for(void **state)
{
	static const struct fake_redis_answer two = ANSWER("$5\r\nvalue\r\n$5\r\nvalue\r\n", .piece = 11);
	struct fake_redis *fake = fake_redis_new();
	struct metrics *metrics = metrics_new();
	struct redis *redis = make(fake_redis_url(fake), metrics, 20000);

	(void)state;
	wait_until_up(redis);
	fake_redis_answers(fake, &two);
	assert_int_equal(ask(redis), 0);
	WAIT_UNTIL(fake_redis_answered(fake) > 0);
	fake_redis_answers(fake, &good);
	WAIT_UNTIL(ask(redis) != 0);
	assert_true(counted(metrics, "unavailable") == 1);
	redis_free(redis);
	fake_redis_free(fake);
	metrics_free(metrics);
}

/* The deadline of a task counts when it is nearer than the time of a call. */
static void test_the_task_has_no_time(void **state)
{
	static const struct fake_redis_answer nothing = ANSWER("*2\r\n", .piece = 0);
	struct fake_redis *fake = fake_redis_new();
	struct redis *redis = make(fake_redis_url(fake), NULL, 3600000);

	(void)state;
	wait_until_up(redis);
	fake_redis_answers(fake, &nothing);
	const struct context ctx = {.deadline_ms = clock_monotonic_ms() + 50};
	assert_int_equal(redis_command(redis, &ctx, get, 2, is_value, NULL), -EAGAIN);
	redis_free(redis);
	fake_redis_free(fake);
}

static void test_nobody_is_there(void **state)
{
	struct metrics *metrics = metrics_new();
	struct redis *redis = make("redis://127.0.0.1:1", metrics, 0);
	struct error err = {0};

	(void)state;
	assert_false(redis_is_up(redis));
	assert_int_equal(ask(redis), -EAGAIN);
	assert_true(counted(metrics, "unavailable") == 1);
	assert_int_equal(redis_forget(redis, "*", 20000, NULL, &err), -EAGAIN);
	assert_int_equal(err.code, ERROR_CONNECTION);
	redis_free(redis);
	metrics_free(metrics);
}

static void test_wrong_url(void **state)
{
	struct redis *redis = NULL;
	struct error err = {0};

	(void)state;
	assert_true(redis_new(&redis, &(struct redis_settings){.url = "rediss://:SECRET@h"}, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_null(strstr(err.text, "SECRET"));
	assert_null(redis);
}

/* Who hangs in the resolver is left behind, and tidies up by itself. */
static void test_a_name_that_is_never_resolved(void **state)
{
	(void)state;
	atomic_store(&resolver_hangs, true);
	struct redis *redis = make("redis://127.0.0.1:1", NULL, 0);
	WAIT_UNTIL(atomic_load(&resolving) > 0);
	assert_int_equal(ask(redis), -EAGAIN);
	redis_free(redis);
	assert_int_equal(atomic_load(&resolving), 1);
	atomic_store(&resolver_hangs, false);
	WAIT_UNTIL(atomic_load(&resolving) == 0);
}

/* --- forgetting, by a server that does not keep to the rules --- */

static void test_forget_with_garbage(void **state)
{
	static const struct fake_redis_answer garbage[] = {
	    ANSWER("*1\r\n$1\r\n0\r\n", .piece = 0),
	    ANSWER("*2\r\n:0\r\n*0\r\n", .piece = 0),
	    ANSWER("*2\r\n$0\r\n\r\n*0\r\n", .piece = 0),
	    ANSWER("*2\r\n$30\r\n000000000000000000000000000000\r\n*0\r\n", .piece = 0),
	    ANSWER("*2\r\n$1\r\n0\r\n*-1\r\n", .piece = 0),
	    ANSWER("*2\r\n$1\r\n0\r\n*1\r\n:1\r\n", .piece = 0),
	    ANSWER("*2\r\n$1\r\n0\r\n*1\r\n$1\r\nx\r\n", .piece = 0), /* and the same again for the UNLINK */
	    ANSWER("*2\r\n$1\r\n0\r\n*100000000\r\n", .piece = 0),
	    ANSWER("-NOPERM SECRET\r\n", .piece = 0),
	    ANSWER("+OK\r\n", .piece = 0),
	    ANSWER("*2\r\n", .then = FAKE_CLOSES),
	};
	struct fake_redis *fake = fake_redis_new();
	struct redis *redis = make(fake_redis_url(fake), NULL, 0);

	(void)state;
	for (size_t i = 0; i < array_size(garbage); i++) {
		struct error err = {0};
		fake_redis_answers(fake, &garbage[i]);
		assert_int_equal(redis_forget(redis, "*", 20000, NULL, &err), -EAGAIN);
		assert_int_equal(err.code, ERROR_CONNECTION);
		assert_null(strstr(err.text, "SECRET"));
	}
	/* One whose cursor never comes back to 0 ends with the time. */
	static const struct fake_redis_answer endless = ANSWER("*2\r\n$1\r\n7\r\n*0\r\n", .piece = 0);
	struct error err = {0};
	fake_redis_answers(fake, &endless);
	assert_int_equal(redis_forget(redis, "*", 100, NULL, &err), -EAGAIN);
	redis_free(redis);
	fake_redis_free(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_answers_of_all_kinds),
    cmocka_unit_test(test_answers_without_end),
    cmocka_unit_test(test_an_answer_nobody_asked_for),
    cmocka_unit_test(test_the_task_has_no_time),
    cmocka_unit_test(test_nobody_is_there),
    cmocka_unit_test(test_wrong_url),
    cmocka_unit_test(test_a_name_that_is_never_resolved),
    cmocka_unit_test(test_forget_with_garbage),
};
RUN_TESTS(tests)
