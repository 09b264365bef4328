#include "run.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "job/writer.h"

static void assert_bytes(const struct buffer *b, const void *bytes, size_t size)
{
	assert_int_equal(b->size, size);
	assert_memory_equal(b->data, bytes, size);
}

static void write_everything(struct writer *w)
{
	writer_open_map(w, NULL);
	writer_null(w, "n");
	writer_bool(w, "t", true);
	writer_integer(w, "i", -5);
	writer_string(w, "s", "x");
	writer_bytes(w, "b", (const uint8_t *)"\x01\x02", 2);
	writer_open_array(w, "a");
	writer_integer(w, NULL, 1);
	writer_open_map(w, NULL);
	writer_close(w);
	writer_close(w);
	writer_close(w);
}

static void test_structure_json(void **state)
{
	cleanup_with(buffer_finish) struct buffer b = {0};
	struct writer w;

	(void)state;
	writer_init(&w, ENCODING_JSON, &b);
	write_everything(&w);
	assert_int_equal(writer_finish(&w), 0);
	assert_string_equal((char *)b.data, "{\"n\":null,\"t\":true,\"i\":-5,\"s\":\"x\",\"b\":\"AQI=\",\"a\":[1,{}]}");
}

static void test_structure_msgpack(void **state)
{
	static const char expected[] = "\xDF\x00\x00\x00\x06"
				       "\xA1n\xC0"
				       "\xA1t\xC3"
				       "\xA1i\xFB"
				       "\xA1s\xA1x"
				       "\xA1"
				       "b\xC4\x02\x01\x02"
				       "\xA1"
				       "a\xDD\x00\x00\x00\x02\x01\xDF\x00\x00\x00\x00";
	cleanup_with(buffer_finish) struct buffer b = {0};
	struct writer w;

	(void)state;
	writer_init(&w, ENCODING_MSGPACK, &b);
	write_everything(&w);
	assert_int_equal(writer_finish(&w), 0);
	assert_bytes(&b, expected, sizeof(expected) - 1);
}

/* Writes one value at the top and compares its JSON. */
#define ASSERT_JSON(call, expected)                                                                                    \
	do {                                                                                                           \
		struct buffer b = {0};                                                                                 \
		struct writer w;                                                                                       \
		writer_init(&w, ENCODING_JSON, &b);                                                                    \
		call;                                                                                                  \
		assert_int_equal(writer_finish(&w), 0);                                                                \
		assert_string_equal((char *)b.data, expected);                                                         \
		buffer_finish(&b);                                                                                     \
	} while (0)

static void test_numbers(void **state)
{
	(void)state;
	ASSERT_JSON(writer_number(&w, NULL, 0.363), "0.363");
	ASSERT_JSON(writer_number(&w, NULL, 1e-6), "1e-06");
	ASSERT_JSON(writer_number(&w, NULL, 0.1 + 0.2), "0.30000000000000004");
	ASSERT_JSON(writer_number(&w, NULL, -0.0), "0");
	ASSERT_JSON(writer_number(&w, NULL, NAN), "null");
	ASSERT_JSON(writer_number(&w, NULL, INFINITY), "null");
	ASSERT_JSON(writer_float(&w, NULL, 0.73f), "0.730000019");
	ASSERT_JSON(writer_float(&w, NULL, -INFINITY), "null");
	ASSERT_JSON(writer_float(&w, NULL, -0.0), "0");
	ASSERT_JSON(writer_decimal(&w, NULL, 1.23456), "1.235");
	ASSERT_JSON(writer_decimal(&w, NULL, 12), "12.000");
	ASSERT_JSON(writer_decimal(&w, NULL, -0.0001), "0.000");
	ASSERT_JSON(writer_decimal(&w, NULL, 1e300), "1e+300");
	ASSERT_JSON(writer_decimal(&w, NULL, NAN), "null");
	ASSERT_JSON(writer_integer(&w, NULL, INT64_MIN), "-9223372036854775808");
}

static void test_msgpack_numbers_equal_json(void **state)
{
	cleanup_with(buffer_finish) struct buffer b = {0};
	struct writer w;

	(void)state;
	writer_init(&w, ENCODING_MSGPACK, &b);
	writer_open_array(&w, NULL);
	writer_decimal(&w, NULL, 1.2504);
	writer_integer(&w, NULL, 300);
	writer_close(&w);
	assert_int_equal(writer_finish(&w), 0);
	assert_bytes(&b, "\xDD\x00\x00\x00\x02\xCB\x3F\xF4\x00\x00\x00\x00\x00\x00\xCD\x01\x2C", 17);
}

static void test_strings(void **state)
{
	(void)state;
	ASSERT_JSON(writer_string(&w, NULL, ""), "\"\"");
	ASSERT_JSON(writer_string(&w, NULL, "Zoë 🙂 \x7F"), "\"Zoë 🙂 \x7F\"");
	ASSERT_JSON(writer_string(&w, NULL, "a\"b\\c\nd\te\x01"), "\"a\\\"b\\\\c\\nd\\u0009e\\u0001\"");
	ASSERT_JSON(writer_string(&w, NULL, "a\xFF\xE2\x82z"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\"");
	ASSERT_JSON(writer_string_or_null(&w, NULL, ""), "null");
	ASSERT_JSON(writer_string_or_null(&w, NULL, "x"), "\"x\"");
	ASSERT_JSON(writer_time_or_null(&w, NULL, 0), "null");
	ASSERT_JSON(writer_time_or_null(&w, NULL, 1764082387123), "\"2025-11-25T14:53:07.123Z\"");
	ASSERT_JSON(writer_bytes(&w, NULL, (const uint8_t *)"", 0), "\"\"");
}

static void test_msgpack_replaces_bad_utf8(void **state)
{
	cleanup_with(buffer_finish) struct buffer b = {0};
	struct writer w;

	(void)state;
	writer_init(&w, ENCODING_MSGPACK, &b);
	writer_string(&w, NULL, "a\xFFz");
	assert_int_equal(writer_finish(&w), 0);
	assert_bytes(&b,
		     "\xA5"
		     "a\xEF\xBF\xBDz",
		     6);
}

static void test_failure_restores_the_buffer(void **state)
{
	static const enum encoding encodings[] = {ENCODING_JSON, ENCODING_MSGPACK};

	(void)state;
	for (size_t i = 0; i < array_size(encodings); i++) {
		/* Every limit up to what it needs: the failure strikes at each place once. */
		for (size_t limit = 3; limit < 40; limit++) {
			cleanup_with(buffer_finish) struct buffer b = {.limit = limit};
			struct writer w;
			assert_int_equal(buffer_append(&b, "abc", 3), 0);
			writer_init(&w, encodings[i], &b);
			write_everything(&w);
			assert_int_equal(writer_finish(&w), -EMSGSIZE);
			assert_string_equal((char *)b.data, "abc");
			assert_int_equal(b.size, 3);
		}
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_structure_json),
    cmocka_unit_test(test_structure_msgpack),
    cmocka_unit_test(test_numbers),
    cmocka_unit_test(test_msgpack_numbers_equal_json),
    cmocka_unit_test(test_strings),
    cmocka_unit_test(test_msgpack_replaces_bad_utf8),
    cmocka_unit_test(test_failure_restores_the_buffer),
};

RUN_TESTS(tests)
