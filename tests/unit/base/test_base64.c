#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

/* RFC 4648 §10, and what the alphabet's last two characters stand for. */
static const struct {
	const char *bytes;
	const char *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xFB\xFF\xBF", "+/+/"},
    {"\xFF\xFF\xFF\xFF", "/////w=="},
};

static void test_encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(vectors); i++) {
		char text[16];
		size_t size = strlen(vectors[i].bytes);
		assert_int_equal(base64_encoded_size(size), strlen(vectors[i].text));
		base64_encode((const uint8_t *)vectors[i].bytes, size, text);
		assert_string_equal(text, vectors[i].text);
	}
}

static void test_decode(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(vectors); i++) {
		uint8_t bytes[16];
		size_t length = strlen(vectors[i].text);
		int64_t size = base64_decode(vectors[i].text, length, bytes, NULL);
		assert_int_equal(size, strlen(vectors[i].bytes));
		assert_true((size_t)size <= base64_decoded_bound(length));
		assert_memory_equal(bytes, vectors[i].bytes, (size_t)size);
	}
}

static void test_every_byte_survives(void **state)
{
	uint8_t bytes[256];
	uint8_t back[258];
	char text[345];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		base64_encode(bytes, size, text);
		assert_int_equal(base64_decode(text, strlen(text), back, NULL), size);
		assert_memory_equal(back, bytes, size);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		size_t where;
	} cases[] = {
	    {"A", 1},        {"AA", 2},       {"AAA", 3},       {"AAAAA", 5}, /* no padding */
	    {"A===", 1},     {"====", 0},     {"AA=A", 2},      {"=AAA", 0},  /* padding where none can be */
	    {"AA==AAAA", 2}, {"AAA=AAAA", 3},                                 /* padding before the end */
	    {"AB==", 1},     {"AAB=", 2},                                     /* bits that no byte takes */
	    {"A A=", 1},     {"AAAA\nAA", 7}, {"AAAA\nAAA", 4}, {"AA-_", 2},  /* other characters */
	    {"AAA\xC3", 3},  {"*AAAAAAA", 0},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		uint8_t bytes[16];
		size_t where = 99;
		assert_int_equal(base64_decode(cases[i].text, strlen(cases[i].text), bytes, &where), -EINVAL);
		assert_int_equal(where, cases[i].where);
		assert_int_equal(base64_decode(cases[i].text, strlen(cases[i].text), bytes, NULL), -EINVAL);
	}
}

static void test_nul_is_no_digit(void **state)
{
	uint8_t bytes[3];
	size_t where;

	(void)state;
	assert_int_equal(base64_decode("AA\0A", 4, bytes, &where), -EINVAL);
	assert_int_equal(where, 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_encode),   cmocka_unit_test(test_decode),          cmocka_unit_test(test_every_byte_survives),
    cmocka_unit_test(test_refusals), cmocka_unit_test(test_nul_is_no_digit),
};

RUN_TESTS(tests)
