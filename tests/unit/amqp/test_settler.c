#include "amqp/settler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "run.h"

static char sent[1024];
static int result;
static struct settler settler;

static int send_ack(void *arg, uint64_t delivery, bool multiple)
{
	(void)arg;
	sprintf(sent + strlen(sent), "%s%u ", multiple ? "<=" : "", (unsigned)delivery);
	return result;
}

static int send_nack(void *arg, uint64_t delivery, bool requeue)
{
	(void)arg;
	sprintf(sent + strlen(sent), "%c%u ", requeue ? 'r' : 'd', (unsigned)delivery);
	return result;
}

static const struct settler_ops ops = {.ack = send_ack, .nack = send_nack};

static void deliver(unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++)
		assert_int_equal(settler_delivered(&settler, i), 0);
}

static int set_up(void **state)
{
	(void)state;
	sent[0] = '\0';
	result = 0;
	settler_init(&settler, &ops, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	settler_finish(&settler);
	return 0;
}

/* Acknowledges the tags in `tags` at once and checks the frames that go out. */
static void check_acks(const unsigned *tags, size_t count, const char *frames)
{
	struct settlement wishes[16];

	for (size_t i = 0; i < count; i++)
		wishes[i] = (struct settlement){tags[i], AMQP_ACK};
	sent[0] = '\0';
	assert_int_equal(settler_apply(&settler, wishes, count), 0);
	assert_string_equal(sent, frames);
}
#define CHECK_ACKS(frames, ...)                                                                                        \
	check_acks((const unsigned[]){__VA_ARGS__}, array_size(((const unsigned[]){__VA_ARGS__})), frames)

static void test_a_run_becomes_one_frame(void **state)
{
	(void)state;
	deliver(1, 6);
	CHECK_ACKS("<=3 ", 3, 1, 2);
	CHECK_ACKS("4 ", 4);
	CHECK_ACKS("<=6 ", 5, 6);
}

static void test_an_open_one_is_never_swept_along(void **state)
{
	(void)state;
	deliver(1, 6);
	CHECK_ACKS("3 2 ", 3, 2);
	CHECK_ACKS("1 5 ", 5, 1);
	CHECK_ACKS("4 ", 4);
	CHECK_ACKS("6 ", 6);
}

static void test_what_is_not_open_is_dropped(void **state)
{
	(void)state;
	deliver(1, 3);
	CHECK_ACKS("1 ", 1);
	CHECK_ACKS("", 1, 0, 4, 99);
	CHECK_ACKS("3 ", 3, 3);
	CHECK_ACKS("2 ", 3, 2);
}

static void test_requeue_and_dead_letter_go_one_by_one(void **state)
{
	(void)state;
	const struct settlement wishes[] = {{1, AMQP_ACK},         {2, AMQP_REQUEUE}, {3, AMQP_ACK},
					    {4, AMQP_DEAD_LETTER}, {4, AMQP_ACK},     {6, AMQP_ACK}};

	deliver(1, 6);
	assert_int_equal(settler_apply(&settler, wishes, array_size(wishes)), 0);
	assert_string_equal(sent, "r2 d4 <=3 6 ");
}

static void test_tags_must_rise_one_by_one(void **state)
{
	(void)state;
	deliver(1, 1);
	assert_int_equal(settler_delivered(&settler, 3), -EPROTO);
	assert_int_equal(settler_delivered(&settler, 1), -EPROTO);
	settler_reset(&settler);
	deliver(1, 1);
}

static void test_many_behind_a_slow_one(void **state)
{
	(void)state;
	deliver(1, 1000);
	for (unsigned i = 2; i <= 1000; i++) {
		struct settlement wish = {i, AMQP_ACK};
		sent[0] = '\0';
		assert_int_equal(settler_apply(&settler, &wish, 1), 0);
		assert_int_equal(atoi(sent), (int)i);
	}
	CHECK_ACKS("1 ", 1);
	assert_int_equal(settler.count, 0);
	deliver(1001, 1001);
}

static void test_error_is_passed_on(void **state)
{
	(void)state;
	struct settlement wish = {1, AMQP_ACK};

	deliver(1, 1);
	result = -5;
	assert_int_equal(settler_apply(&settler, &wish, 1), -5);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_a_run_becomes_one_frame),     CASE(test_an_open_one_is_never_swept_along),
    CASE(test_what_is_not_open_is_dropped), CASE(test_requeue_and_dead_letter_go_one_by_one),
    CASE(test_tags_must_rise_one_by_one),   CASE(test_many_behind_a_slow_one),
    CASE(test_error_is_passed_on),
};

RUN_TESTS(tests)
