#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/redis_wire.h"

/* Feeds a text in pieces; the result of the last one fed. */
static int feed(const char *text, size_t size, size_t piece, redisReply **reply)
{
	struct redis_wire_reader reader;
	int r = 0;

	assert_int_equal(redis_wire_reader_init(&reader), 0);
	for (size_t at = 0; at < size && r == 0; at += piece) {
		size_t length = size - at < piece ? size - at : piece;
		r = redis_wire_reader_feed(&reader, text + at, length, reply);
	}
	redis_wire_reader_finish(&reader);
	return r;
}

static void test_commands(void **state)
{
	const struct redis_argument arguments[] = {{"SET", 3}, {"a\r\n\0b", 5}, {"", 0}};
	static const char expected[] = "*3\r\n$3\r\nSET\r\n$5\r\na\r\n\0b\r\n$0\r\n\r\n";
	struct buffer out = {0};

	(void)state;
	assert_int_equal(redis_wire_command(&out, arguments, 3), 0);
	assert_int_equal(out.size, sizeof(expected) - 1);
	assert_memory_equal(out.data, expected, out.size);
	buffer_finish(&out);
}

static void test_replies_in_pieces(void **state)
{
	static const char text[] = "*3\r\n$7\r\nversion\r\n:12\r\n*2\r\n$-1\r\n+OK\r\n";

	(void)state;
	for (size_t piece = 1; piece <= sizeof(text); piece++) {
		redisReply *reply = NULL;
		assert_int_equal(feed(text, sizeof(text) - 1, piece, &reply), 1);
		assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
		assert_int_equal(reply->elements, 3);
		assert_string_equal(reply->element[0]->str, "version");
		assert_int_equal(reply->element[1]->integer, 12);
		assert_int_equal(reply->element[2]->element[0]->type, REDIS_REPLY_NIL);
		assert_string_equal(reply->element[2]->element[1]->str, "OK");
		freeReplyObject(reply);
	}
}

static void test_one_reader_for_many(void **state)
{
	struct redis_wire_reader reader;
	char text[64];
	int size = snprintf(text, sizeof(text), "*%d\r\n", REDIS_MAX_ELEMENTS);
	redisReply *reply;

	(void)state;
	assert_int_equal(redis_wire_reader_init(&reader), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(redis_wire_reader_feed(&reader, text, (size_t)size, &reply), 0);
		for (int e = 1; e < REDIS_MAX_ELEMENTS; e++)
			assert_int_equal(redis_wire_reader_feed(&reader, ":1\r\n", 4, &reply), 0);
		assert_int_equal(redis_wire_reader_feed(&reader, ":1\r\n", 4, &reply), 1);
		freeReplyObject(reply);
	}
	redis_wire_reader_finish(&reader);
}

static void test_hostile_replies(void **state)
{
	static const char *const hostile[] = {
	    "*1025\r\n",
	    "*1000000000\r\n",
	    "*2147483647\r\n",
	    "*4294967297\r\n",
	    "*9223372036854775807\r\n",
	    "*99999999999999999999\r\n",
	    "*-2\r\n",
	    "*x\r\n",
	    "*2\r\n*1000\r\n*1000\r\n",
	    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
	    "$99999999999999999999\r\n",
	    "$-2\r\n",
	    "$x\r\n",
	    ":x\r\n",
	    "hello\r\n",
	    "HTTP/1.1 400 Bad Request\r\n\r\n",
	    "+OK\r\n+OK\r\n",
	    "+OK\r\nx",
	    "$2\r\nabcdef\r\n",
	};

	(void)state;
	for (size_t i = 0; i < array_size(hostile); i++) {
		redisReply *reply = NULL;
		int r = feed(hostile[i], strlen(hostile[i]), 1000, &reply);
		if (r != -EPROTO)
			fail_msg("%s: %d", hostile[i], r);
	}
}

/* A bulk string that is announced but does not come takes no memory. */
static void test_announced_is_not_arrived(void **state)
{
	static const char *const announced[] = {"$1000000000\r\nx", "$9223372036854775807\r\nx",
						"*1024\r\n$1000000000\r\nx"};

	(void)state;
	for (size_t i = 0; i < array_size(announced); i++) {
		redisReply *reply = NULL;
		assert_int_equal(feed(announced[i], strlen(announced[i]), 1000, &reply), 0);
	}
}

static void test_too_many_bytes(void **state)
{
	static const char start[] = "$5000000\r\n";
	size_t size = REDIS_MAX_REPLY_BYTES + 1;
	char *text = malloc(size);
	redisReply *reply = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	memcpy(text, start, sizeof(start) - 1);
	assert_int_equal(feed(text, REDIS_MAX_REPLY_BYTES, 65536, &reply), 0);
	assert_int_equal(feed(text, size, 65536, &reply), -EPROTO);
	free(text);
}

static void expect_word(const char *text, const char *word)
{
	char line[256];
	char out[REDIS_WIRE_WORD_SIZE];
	redisReply *reply = NULL;
	int size = snprintf(line, sizeof(line), "-%s\r\n", text);

	assert_int_equal(feed(line, (size_t)size, 1000, &reply), 1);
	assert_int_equal(reply->type, REDIS_REPLY_ERROR);
	redis_wire_error_word(reply, out);
	assert_string_equal(out, word);
	freeReplyObject(reply);
}

static void test_error_words(void **state)
{
	(void)state;
	expect_word("WRONGPASS invalid username-password pair", "WRONGPASS");
	expect_word("OOM", "OOM");
	expect_word("ERR unknown command 'AUTH', with args beginning with: 'secret'", "ERR");
	expect_word("secret", "ERR");
	expect_word("SECRETs", "ERR");
	expect_word("", "ERR");
	expect_word("ABCDEFGHIJKLMNOPQRSTUVWXYZ much", "ERR");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_commands),
    cmocka_unit_test(test_replies_in_pieces),
    cmocka_unit_test(test_one_reader_for_many),
    cmocka_unit_test(test_hostile_replies),
    cmocka_unit_test(test_announced_is_not_arrived),
    cmocka_unit_test(test_too_many_bytes),
    cmocka_unit_test(test_error_words),
};
RUN_TESTS(tests)
