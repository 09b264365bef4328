#include "amqp/publisher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define WINDOW 4

/* A broker that writes down what it is sent, and a program that writes down what it hears. */
static struct {
	char sent[256];
	char heard[256];
	unsigned finished;
	int send_result;
} seen;

static struct publisher publisher;

static int send_message(void *arg, const struct amqp_message *message)
{
	(void)arg;
	strcat(seen.sent, message->envelope.message_id);
	return seen.send_result;
}

static void on_finished(void *arg, enum amqp_outcome outcome)
{
	(void)arg;
	(void)outcome;
	seen.finished++;
}

static void on_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	static const char marks[] = {
	    [AMQP_CONFIRMED] = '+', [AMQP_RETURNED] = '<', [AMQP_NACKED] = '-', [AMQP_ABANDONED] = '?'};

	assert_ptr_equal(arg, &seen);
	strcat(seen.heard, message->envelope.message_id);
	strncat(seen.heard, &marks[outcome], 1);
}

static const struct publisher_ops ops = {.send = send_message, .finished = on_finished};

static void offer_to(char id, const char *exchange, const char *key)
{
	struct publication_list list = TAILQ_HEAD_INITIALIZER(list);
	struct publication *item = calloc(1, sizeof(*item));
	struct buffer body = {0};

	assert_non_null(item);
	item->message = amqp_message_new(exchange, key, &body);
	assert_non_null(item->message);
	item->message->mandatory = true;
	item->message->envelope.message_id[0] = id;
	item->done = on_outcome;
	item->arg = &seen;
	TAILQ_INSERT_TAIL(&list, item, entry);
	publisher_accept(&publisher, &list);
}

static void offer(const char *ids)
{
	for (; *ids; ids++)
		offer_to(*ids, "", "key");
}

/* Nobody reads the body. */
static void offer_size(char id, size_t size)
{
	offer_to(id, "", "key");
	TAILQ_LAST(&publisher.backlog, publication_list)->message->body_size = size;
}

static void come_back(char id)
{
	struct amqp_delivery returned = {.routing_key = "key", .envelope.message_id = {id}};

	publisher_returned(&publisher, &returned);
}

static int set_up(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	publisher_init(&publisher, WINDOW, &ops, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	publisher_finish(&publisher);
	return 0;
}

static void test_window(void **state)
{
	(void)state;
	offer("abcdefgh");
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	assert_string_equal(seen.sent, "abcd");
	assert_false(publisher_has_work(&publisher));
	publisher_settle(&publisher, 2, false, AMQP_CONFIRMED);
	assert_string_equal(seen.heard, "b+");
	assert_true(publisher_has_work(&publisher));
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	assert_string_equal(seen.sent, "abcde");
}

static void test_bytes_of_one_pump_are_bounded(void **state)
{
	(void)state;
	offer("abcd");
	assert_int_equal(publisher_pump(&publisher, 1), 0);
	assert_string_equal(seen.sent, "ab");
	assert_int_equal(publisher_pump(&publisher, 1), 0);
	assert_string_equal(seen.sent, "abcd");
}

static void test_multiple_ends_everything_up_to_the_tag(void **state)
{
	(void)state;
	offer("abcdef");
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	publisher_settle(&publisher, 1, false, AMQP_NACKED);
	publisher_settle(&publisher, 3, true, AMQP_CONFIRMED);
	assert_string_equal(seen.heard, "a-b+c+");
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	publisher_settle(&publisher, 6, true, AMQP_NACKED);
	assert_string_equal(seen.heard, "a-b+c+d-e-f-");
	/* What is not known any more, or not yet, ends nothing. */
	publisher_settle(&publisher, 6, true, AMQP_CONFIRMED);
	publisher_settle(&publisher, 99, false, AMQP_CONFIRMED);
	assert_int_equal(seen.finished, 6);
}

static void test_return_turns_the_ack_after_it(void **state)
{
	(void)state;
	offer("aba");
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	come_back('a');
	come_back('x');
	assert_string_equal(seen.heard, "");
	publisher_settle(&publisher, 3, true, AMQP_CONFIRMED);
	assert_string_equal(seen.heard, "a<b+a+");
}

static void test_two_returns_of_one_message(void **state)
{
	(void)state;
	offer("aab");
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	come_back('a');
	come_back('a');
	publisher_settle(&publisher, 3, true, AMQP_CONFIRMED);
	assert_string_equal(seen.heard, "a<a<b+");
}

static void test_reset_sends_again_in_order(void **state)
{
	(void)state;
	offer("abcdef");
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	publisher_settle(&publisher, 2, false, AMQP_CONFIRMED);
	come_back('a');
	publisher_reset(&publisher);
	seen.sent[0] = '\0';
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	assert_string_equal(seen.sent, "acde");
	/* Tags begin again, and what came back before may find its queue now. */
	publisher_settle(&publisher, 1, false, AMQP_CONFIRMED);
	assert_string_equal(seen.heard, "b+a+");
}

static void test_failed_send_is_sent_again(void **state)
{
	(void)state;
	offer("ab");
	seen.send_result = -5;
	assert_int_equal(publisher_pump(&publisher, 1000), -5);
	assert_string_equal(seen.sent, "a");
	seen.send_result = 0;
	publisher_reset(&publisher);
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	assert_string_equal(seen.sent, "aab");
	assert_string_equal(seen.heard, "");
}

static void test_refused_twice_is_given_up(void **state)
{
	(void)state;
	offer("a");
	offer_to('b', "missing", "");
	offer("c");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(publisher_pump(&publisher, 1000), 0);
		assert_string_equal(seen.heard, "");
		publisher_refused(&publisher, "missing");
		publisher_reset(&publisher);
	}
	assert_string_equal(seen.heard, "b-");
	seen.sent[0] = '\0';
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	assert_string_equal(seen.sent, "ac");
}

static void test_what_is_above_the_brokers_limit_is_given_up(void **state)
{
	(void)state;
	offer("a");
	offer_size('b', 11);
	offer_size('c', 10);
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	publisher_refused_above(&publisher, 10);
	assert_string_equal(seen.heard, "b-");
	publisher_reset(&publisher);
	seen.sent[0] = '\0';
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	assert_string_equal(seen.sent, "ac");
}

static void test_finish_abandons_everything_once(void **state)
{
	(void)state;
	offer("abcdef");
	assert_int_equal(publisher_pump(&publisher, 1000), 0);
	publisher_settle(&publisher, 1, false, AMQP_CONFIRMED);
	publisher_finish(&publisher);
	assert_string_equal(seen.heard, "a+b?c?d?e?f?");
	publisher_finish(&publisher);
	assert_int_equal(seen.finished, 6);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_window),
    CASE(test_bytes_of_one_pump_are_bounded),
    CASE(test_multiple_ends_everything_up_to_the_tag),
    CASE(test_return_turns_the_ack_after_it),
    CASE(test_two_returns_of_one_message),
    CASE(test_reset_sends_again_in_order),
    CASE(test_failed_send_is_sent_again),
    CASE(test_refused_twice_is_given_up),
    CASE(test_what_is_above_the_brokers_limit_is_given_up),
    CASE(test_finish_abandons_everything_once),
};

RUN_TESTS(tests)
