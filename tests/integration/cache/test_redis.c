/* The client against a real Redis that ends, hangs, comes back, refuses. */
#include "run.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "server.h"
#include "wait.h"

static const struct redis_argument ping = {"PING", 4};

static bool is_pong(void *arg, const struct redisReply *reply)
{
	(void)arg;
	return reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "PONG") == 0;
}

static bool is_anything(void *arg, const struct redisReply *reply)
{
	if (arg)
		snprintf(arg, 64, "%s", reply->str ? reply->str : "");
	return true;
}

static int ask_ping(struct redis *redis)
{
	return redis_command(redis, NULL, &ping, 1, is_pong, NULL);
}

/* Until commands work, or none does. */
static void wait_for(struct redis *redis, bool works)
{
	WAIT_UNTIL((ask_ping(redis) == 0) == works);
}

static void test_commands(void **state)
{
	struct redis *redis = server_client(0);
	const struct redis_argument set[] = {{"SET", 3}, {"k\0\r\n", 4}, {"\xff\0v", 3}};
	const struct redis_argument get[] = {{"GET", 3}, {"k\0\r\n", 4}};
	const struct redis_argument name[] = {{"CLIENT", 6}, {"GETNAME", 7}};
	const struct redis_argument wrong[] = {{"HGETALL", 7}, {"k\0\r\n", 4}};
	char text[64];

	(void)state;
	assert_int_equal(ask_ping(redis), 0);
	assert_int_equal(redis_command(redis, NULL, set, 3, is_anything, NULL), 0);
	assert_int_equal(redis_command(redis, NULL, get, 2, is_anything, text), 0);
	assert_string_equal(text, "\xff");
	assert_int_equal(redis_command(redis, NULL, name, 2, is_anything, text), 0);
	assert_string_equal(text, "facefleet");
	/* An error is an answer: the connection stays. */
	assert_int_equal(redis_command(redis, NULL, wrong, 2, is_anything, NULL), -EREMOTEIO);
	assert_true(redis_is_up(redis));
	assert_int_equal(ask_ping(redis), 0);
	redis_free(redis);
	redis_free(NULL);
}

static void test_no_time(void **state)
{
	struct redis *redis = server_client(0);
	const struct context late = {.deadline_ms = 1};

	(void)state;
	assert_int_equal(redis_command(redis, &late, &ping, 1, is_pong, NULL), -EAGAIN);
	assert_int_equal(ask_ping(redis), 0);
	redis_free(redis);
}

static void test_an_answer_nobody_wanted_closes(void **state)
{
	struct redis *redis = server_client(0);
	const struct redis_argument echo[] = {{"ECHO", 4}, {"PONG", 4}};

	(void)state;
	assert_int_equal(redis_command(redis, NULL, echo, 2, is_pong, NULL), -EPROTO);
	wait_for(redis, true);
	redis_free(redis);
}

static void test_a_server_that_is_killed_comes_back(void **state)
{
	struct redis *redis = server_client(0);

	(void)state;
	for (int i = 0; i < 2; i++) {
		server_do("kill");
		assert_int_equal(ask_ping(redis), -EAGAIN);
		server_wait(redis, false);
		assert_int_equal(ask_ping(redis), -EAGAIN);
		server_do("start");
		wait_for(redis, true);
	}
	redis_free(redis);
}

/* Every call ends, though none can be answered: were one to hang, so would this. */
static void test_a_server_that_hangs(void **state)
{
	struct redis *redis = server_client(50);

	(void)state;
	wait_for(redis, true);
	server_do("freeze");
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask_ping(redis), -EAGAIN);
	server_wait(redis, false);
	server_do("thaw");
	wait_for(redis, true);
	redis_free(redis);
}

static void test_ends_while_it_hangs(void **state)
{
	struct redis *redis = server_client(20);

	(void)state;
	server_do("freeze");
	assert_int_equal(ask_ping(redis), -EAGAIN);
	redis_free(redis);
	server_do("thaw");
}

static void test_idle_connections_are_looked_after(void **state)
{
	struct redis *redis = server_client(0);

	(void)state;
	/* Nobody asks anything, and yet it is noticed, that it went and that it is back. */
	server_do("kill");
	server_wait(redis, false);
	server_do("start");
	server_wait(redis, true);
	redis_free(redis);
}

static void refuse(const char *url)
{
	struct redis *redis;
	struct error err = {0};
	uint64_t removed;

	assert_int_equal(redis_new(&redis, &(struct redis_settings){.url = url}, &err), 0);
	assert_int_equal(redis_forget(redis, "*", 20000, &removed, &err), -EAGAIN);
	assert_int_equal(err.code, ERROR_CONNECTION);
	assert_int_equal(err.class, ERROR_CLASS_RETRY);
	assert_null(strstr(err.text, "SECRET"));
	assert_false(redis_is_up(redis));
	assert_int_equal(ask_ping(redis), -EAGAIN);
	redis_free(redis);
}

static void test_who_is_not_let_in(void **state)
{
	const char *address = strchr(server_url(), '@') + 1;
	char url[600];

	(void)state;
	snprintf(url, sizeof(url), "redis://:SECRET@%s", address);
	refuse(url);
	snprintf(url, sizeof(url), "redis://SECRET:SECRET@%s", address);
	refuse(url);
	snprintf(url, sizeof(url), "redis://%s", address);
	refuse(url);
	snprintf(url, sizeof(url), "%s/16", server_url()); /* it has 16 databases */
	refuse(url);
	refuse("redis://:SECRET@127.0.0.1:1");
}

static void test_database(void **state)
{
	struct redis *redis;
	struct error err = {0};
	char url[600];
	const struct redis_argument set[] = {{"SET", 3}, {"in-3", 4}, {"x", 1}};

	(void)state;
	snprintf(url, sizeof(url), "%s/3", server_url());
	assert_int_equal(redis_new(&redis, &(struct redis_settings){.url = url, .timeout_ms = 20000}, &err), 0);
	wait_for(redis, true);
	assert_int_equal(redis_command(redis, NULL, set, 3, is_anything, NULL), 0);
	server_expect("EXISTS in-3", "0");
	redis_free(redis);
}

struct caller {
	struct redis *redis;
	unsigned answered;
};

static void *ask_often(void *arg)
{
	struct caller *caller = arg;
	int64_t until = clock_monotonic_ms() + 60000;

	/* At first there may be fewer connections than threads. */
	while (caller->answered < 500 && clock_monotonic_ms() < until)
		caller->answered += ask_ping(caller->redis) == 0;
	return NULL;
}

static void test_many_threads(void **state)
{
	struct redis *redis = server_client(0);
	struct caller callers[4];
	pthread_t ids[4];

	(void)state;
	wait_for(redis, true);
	for (int i = 0; i < 4; i++) {
		callers[i] = (struct caller){.redis = redis};
		assert_int_equal(pthread_create(&ids[i], NULL, ask_often, &callers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(ids[i], NULL);
		assert_int_equal(callers[i].answered, 500);
	}
	redis_free(redis);
}

/* --- forgetting --- */

static void set(struct redis *redis, const char *key)
{
	const struct redis_argument arguments[] = {{"SET", 3}, {key, strlen(key)}, {"x", 1}};

	assert_int_equal(redis_command(redis, NULL, arguments, 3, is_anything, NULL), 0);
}

static void test_forget(void **state)
{
	struct redis *redis = server_client(0);
	struct error err = {0};
	uint64_t removed = 77;
	char key[64];

	(void)state;
	server_expect("FLUSHALL", "OK");
	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "face:%d:ann:m", i);
		set(redis, key);
	}
	set(redis, "face:1:bob:m");
	set(redis, "other");
	assert_int_equal(redis_forget(redis, "face:*:eve:*", 20000, &removed, &err), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(redis_forget(redis, "face:*:ann:*", 20000, &removed, &err), 0);
	assert_int_equal(removed, 3000);
	server_expect("DBSIZE", "2");
	assert_int_equal(redis_forget(redis, "*", 20000, NULL, &err), 0);
	server_expect("DBSIZE", "0");
	redis_free(redis);
}

static void test_forget_takes_a_literal(void **state)
{
	static const char literal[] = "*?[a-z]\\^x";
	struct redis *redis = server_client(0);
	struct error err = {0};
	uint64_t removed;
	char pattern[64];

	(void)state;
	server_expect("FLUSHALL", "OK");
	set(redis, literal);
	set(redis, "abc");
	set(redis, "b");
	assert_int_equal(redis_quote_glob(literal, pattern, sizeof(pattern)), 0);
	assert_int_equal(redis_forget(redis, pattern, 20000, &removed, &err), 0);
	assert_int_equal(removed, 1);
	server_expect("DBSIZE", "2");
	redis_free(redis);

	assert_int_equal(redis_quote_glob("a*", pattern, 4), 0);
	assert_string_equal(pattern, "a\\*");
	assert_int_equal(redis_quote_glob("a*", pattern, 3), -EMSGSIZE);
	assert_int_equal(redis_quote_glob("ab", pattern, 2), -EMSGSIZE);
	assert_int_equal(redis_quote_glob("", pattern, 0), -EMSGSIZE);
}

static void test_forget_without_a_server(void **state)
{
	struct redis *redis = server_client(0);
	struct error err = {0};

	(void)state;
	server_do("freeze");
	assert_int_equal(redis_forget(redis, "*", 200, NULL, &err), -EAGAIN);
	assert_int_equal(err.code, ERROR_CONNECTION);
	server_do("thaw");
	assert_int_equal(redis_forget(redis, "*", 20000, NULL, &err), 0);
	redis_free(redis);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_commands),
    cmocka_unit_test(test_no_time),
    cmocka_unit_test(test_an_answer_nobody_wanted_closes),
    cmocka_unit_test(test_a_server_that_is_killed_comes_back),
    cmocka_unit_test(test_a_server_that_hangs),
    cmocka_unit_test(test_ends_while_it_hangs),
    cmocka_unit_test(test_idle_connections_are_looked_after),
    cmocka_unit_test(test_who_is_not_let_in),
    cmocka_unit_test(test_database),
    cmocka_unit_test(test_many_threads),
    cmocka_unit_test(test_forget),
    cmocka_unit_test(test_forget_takes_a_literal),
    cmocka_unit_test(test_forget_without_a_server),
};
RUN_TESTS(tests)
