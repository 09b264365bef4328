#include "run.h"

#include <errno.h>

#include "job/envelope.h"

static void test_content_types(void **state)
{
	(void)state;
	assert_string_equal(encoding_content_type(ENCODING_JSON), "application/json");
	assert_string_equal(encoding_content_type(ENCODING_MSGPACK), "application/msgpack");
}

static void test_reads_content_types(void **state)
{
	static const struct {
		const char *text;
		enum encoding encoding;
	} good[] = {
	    {"application/json", ENCODING_JSON},
	    {"Application/JSON", ENCODING_JSON},
	    {"application/json; charset=utf-8", ENCODING_JSON},
	    {"application/json;charset=utf-8", ENCODING_JSON},
	    {"application/json ; charset=utf-8", ENCODING_JSON},
	    {"application/msgpack", ENCODING_MSGPACK},
	};

	(void)state;
	for (size_t i = 0; i < array_size(good); i++) {
		enum encoding encoding = ENCODING_MSGPACK - good[i].encoding;
		assert_int_equal(encoding_from_content_type(good[i].text, &encoding), 0);
		assert_int_equal(encoding, good[i].encoding);
	}
}

static void test_refuses_content_types(void **state)
{
	static const char *const bad[] = {"",
					  "json",
					  "application/",
					  "application/jsonx",
					  "application/x-msgpack",
					  " application/json",
					  "text/plain; application/json"};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		enum encoding encoding = ENCODING_MSGPACK;
		assert_int_equal(encoding_from_content_type(bad[i], &encoding), -EINVAL);
		assert_int_equal(encoding, ENCODING_MSGPACK);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_content_types),
    cmocka_unit_test(test_reads_content_types),
    cmocka_unit_test(test_refuses_content_types),
};

RUN_TESTS(tests)
