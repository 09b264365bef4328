#include "amqp/frames.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

static struct frames frames;
static struct amqp_delivery *delivered;
static unsigned returned;
static amqp_method_number_t method_seen;

static int on_delivery(void *arg, struct amqp_delivery *delivery)
{
	(void)arg;
	amqp_delivery_free(delivered);
	delivered = delivery;
	return 0;
}

static void on_return(void *arg, const struct amqp_delivery *back)
{
	(void)arg;
	assert_string_equal(back->routing_key, "key");
	assert_string_equal(back->envelope.message_id, "id");
	assert_null(back->body);
	returned++;
}

static int on_method(void *arg, const amqp_method_t *method)
{
	(void)arg;
	method_seen = method->id;
	return method->id == AMQP_CHANNEL_CLOSE_METHOD ? -ECONNRESET : 0;
}

static const struct frames_ops ops = {.on_delivery = on_delivery, .on_return = on_return, .on_method = on_method};

static int set_up(void **state)
{
	(void)state;
	returned = 0;
	method_seen = 0;
	frames_init(&frames, &ops, NULL, 7);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	frames_finish(&frames);
	amqp_delivery_free(delivered);
	delivered = NULL;
	return 0;
}

static int feed_method(amqp_method_number_t id, void *decoded)
{
	amqp_frame_t frame = {.frame_type = AMQP_FRAME_METHOD, .payload.method = {id, decoded}};

	return frames_handle(&frames, &frame);
}

static int feed_deliver(const char *tag)
{
	amqp_basic_deliver_t deliver = {.consumer_tag = amqp_cstring_bytes(tag),
					.delivery_tag = 3,
					.redelivered = 1,
					.exchange = amqp_cstring_bytes("exchange"),
					.routing_key = amqp_cstring_bytes("key")};

	return feed_method(AMQP_BASIC_DELIVER_METHOD, &deliver);
}

static int feed_header(uint64_t size)
{
	amqp_basic_properties_t properties = {._flags = AMQP_BASIC_MESSAGE_ID_FLAG,
					      .message_id = amqp_cstring_bytes("id")};
	amqp_frame_t frame = {
	    .frame_type = AMQP_FRAME_HEADER,
	    .payload.properties = {.class_id = AMQP_BASIC_CLASS, .body_size = size, .decoded = &properties}};

	return frames_handle(&frames, &frame);
}

static int feed_body(const char *text)
{
	amqp_frame_t frame = {.frame_type = AMQP_FRAME_BODY, .payload.body_fragment = amqp_cstring_bytes(text)};

	return frames_handle(&frames, &frame);
}

static void test_message_in_pieces(void **state)
{
	(void)state;
	assert_int_equal(feed_deliver("c2.5"), 0);
	assert_int_equal(feed_header(5), 0);
	assert_int_equal(feed_body("he"), 0);
	/* A method of the connection may stand between the pieces of a message. */
	amqp_connection_unblocked_t unblocked = {0};
	assert_int_equal(feed_method(AMQP_CONNECTION_UNBLOCKED_METHOD, &unblocked), 0);
	assert_int_equal(method_seen, AMQP_CONNECTION_UNBLOCKED_METHOD);
	assert_null(delivered);
	assert_int_equal(feed_body("llo"), 0);
	assert_non_null(delivered);
	assert_int_equal(delivered->tag.generation, 7);
	assert_int_equal(delivered->tag.delivery, 3);
	assert_int_equal(delivered->tag.consumer, 2);
	assert_true(delivered->redelivered);
	assert_string_equal(delivered->exchange, "exchange");
	assert_string_equal(delivered->envelope.message_id, "id");
	assert_int_equal(delivered->body_size, 5);
	assert_memory_equal(delivered->body, "hello", 5);
}

static void test_message_that_was_asked_for(void **state)
{
	amqp_basic_get_ok_t got = {.delivery_tag = 9,
				   .redelivered = 1,
				   .exchange = amqp_cstring_bytes("exchange"),
				   .routing_key = amqp_cstring_bytes("key")};

	(void)state;
	assert_int_equal(feed_method(AMQP_BASIC_GET_OK_METHOD, &got), 0);
	assert_int_equal(feed_method(AMQP_BASIC_GET_OK_METHOD, &got), -EPROTO);
	assert_int_equal(feed_header(5), 0);
	assert_int_equal(feed_body("hello"), 0);
	assert_non_null(delivered);
	assert_int_equal(delivered->tag.delivery, 9);
	assert_true(delivered->redelivered);
	assert_string_equal(delivered->routing_key, "key");
	assert_int_equal(delivered->body_size, 5);
}

static void test_empty_message(void **state)
{
	(void)state;
	assert_int_equal(feed_deliver("c0.1"), 0);
	assert_int_equal(feed_header(0), 0);
	assert_non_null(delivered);
	assert_null(delivered->body);
	assert_false(delivered->too_large);
}

static void test_returned_message_has_no_body(void **state)
{
	(void)state;
	amqp_basic_return_t back = {.routing_key = amqp_cstring_bytes("key")};

	assert_int_equal(feed_method(AMQP_BASIC_RETURN_METHOD, &back), 0);
	assert_int_equal(feed_header(3), 0);
	assert_int_equal(feed_body("abc"), 0);
	assert_int_equal(returned, 1);
	assert_null(delivered);
}

static void test_too_large_is_not_kept(void **state)
{
	(void)state;
	static char piece[65537];
	unsigned pieces = AMQP_MAX_DELIVERY_BYTES / (sizeof(piece) - 1) + 1;

	memset(piece, 'x', sizeof(piece) - 1);
	assert_int_equal(feed_deliver("c0.1"), 0);
	assert_int_equal(feed_header((uint64_t)pieces * (sizeof(piece) - 1)), 0);
	for (unsigned i = 0; i < pieces; i++)
		assert_int_equal(feed_body(piece), 0);
	assert_non_null(delivered);
	assert_true(delivered->too_large);
	assert_null(delivered->body);
	assert_int_equal(delivered->body_size, 0);
}

static void test_frames_out_of_place(void **state)
{
	(void)state;
	assert_int_equal(feed_header(1), -EPROTO);
	assert_int_equal(feed_body("x"), -EPROTO);
	assert_int_equal(feed_deliver("c0.1"), 0);
	assert_int_equal(feed_body("x"), -EPROTO);
	assert_int_equal(feed_deliver("c0.2"), -EPROTO);
	assert_int_equal(feed_header(2), 0);
	assert_int_equal(feed_header(2), -EPROTO);
	assert_int_equal(feed_body("xyz"), -EPROTO);
}

static void test_error_of_a_method_is_passed_on(void **state)
{
	(void)state;
	amqp_channel_close_t close = {.reply_code = 404};

	assert_int_equal(feed_method(AMQP_CHANNEL_CLOSE_METHOD, &close), -ECONNRESET);
}

static void test_consumer_tags(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
					  "c",
					  "c.",
					  "c.1",
					  "x1.1",
					  "c1",
					  "c1x.2",
					  "c99999999999999999999.1",
					  "amq.ctag-abc",
					  "c1234567890123456789012345678901234567890.1"};
	char tag[32];

	frames_format_tag(tag, sizeof(tag), 7, 4000000000u);
	assert_int_equal(frames_parse_tag(amqp_cstring_bytes(tag)), 7);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(frames_parse_tag(amqp_cstring_bytes(bad[i])), -1);
		assert_int_equal(feed_deliver(bad[i]), -EPROTO);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_message_in_pieces),
    CASE(test_empty_message),
    CASE(test_returned_message_has_no_body),
    CASE(test_too_large_is_not_kept),
    CASE(test_frames_out_of_place),
    CASE(test_error_of_a_method_is_passed_on),
    CASE(test_consumer_tags),
    CASE(test_message_that_was_asked_for),
};

RUN_TESTS(tests)
