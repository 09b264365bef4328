#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "job/bounds.h"

static int check_json(const char *text, struct error *err)
{
	return bounds_check_json((const uint8_t *)text, strlen(text), err);
}

/* `count` times `piece`, between `before` and `after`. */
static char *repeated(const char *before, const char *piece, size_t count, const char *after)
{
	struct buffer b = {0};
	int r = buffer_append(&b, before, strlen(before));

	for (size_t i = 0; r == 0 && i < count; i++)
		r = buffer_append(&b, piece, strlen(piece));
	if (r == 0)
		r = buffer_append(&b, after, strlen(after));
	assert_int_equal(r, 0);
	return (char *)buffer_steal(&b);
}

static void assert_json(char *text, const char *problem)
{
	struct error err = {0};
	int r = check_json(text, &err);

	if (problem) {
		assert_int_equal(r, -EBADMSG);
		assert_int_equal(err.code, ERROR_INVALID_JOB);
		assert_non_null(strstr(err.text, problem));
	} else {
		assert_int_equal(r, 0);
	}
	free(text);
}

static void test_json_depth(void **state)
{
	(void)state;
	assert_json(repeated("", "[", BOUNDS_MAX_DEPTH, ""), NULL);
	assert_json(repeated("", "[", BOUNDS_MAX_DEPTH + 1, ""), "nested deeper than 16 at byte 16");
	assert_json(repeated("", "{\"a\":", BOUNDS_MAX_DEPTH + 1, ""), "nested");
	assert_json(repeated("[", "[]", 100, "]"), NULL);
}

static void test_json_values(void **state)
{
	(void)state;
	assert_json(repeated("[", "1,", BOUNDS_MAX_VALUES - 2, "1]"), NULL);
	assert_json(repeated("[", "1,", BOUNDS_MAX_VALUES, "1]"), "more than 16384 values");
	assert_json(repeated("[", "[]", BOUNDS_MAX_VALUES, "]"), "values");
}

static void test_json_fields(void **state)
{
	(void)state;
	assert_json(repeated("{", "\"a\":1,", BOUNDS_MAX_FIELDS - 1, "\"a\":1}"), NULL);
	assert_json(repeated("{", "\"a\":1,", BOUNDS_MAX_FIELDS, "\"a\":1}"), "more than 256 fields");
}

static void test_json_strings_do_not_count(void **state)
{
	(void)state;
	assert_json(repeated("[\"", "[{,\\\"\\\\", 10000, "\"]"), NULL);
	assert_json(repeated("[\"\\\\\"", ",[", 20, "]"), "nested"); /* the string ended: its backslash was escaped */
	assert_json(repeated("[\"", "[", 20, ""), NULL);             /* unterminated: the parser says so */
}

static void test_json_unbalanced(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(check_json("]]]]", &err), 0);
	assert_int_equal(check_json("{}}", &err), 0);
}

#define CHECK_MSGPACK(bytes, err) bounds_check_msgpack((const uint8_t *)(bytes), sizeof(bytes) - 1, err)

static void test_msgpack_every_type(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(CHECK_MSGPACK("\x00", &err), 0);
	assert_int_equal(CHECK_MSGPACK("\xFF", &err), 0);
	assert_int_equal(
	    CHECK_MSGPACK("\x9F\xC0\xC2\xC3\xA1x\xC4\x01x\xC5\x00\x01x\xC6\x00\x00\x00\x01x"
			  "\xC7\x01\x05x\xC8\x00\x01\x05x\xC9\x00\x00\x00\x01\x05x"
			  "\xCA\x00\x00\x00\x00\xCB\x00\x00\x00\x00\x00\x00\x00\x00\xCC\x01\xCD\x00\x01\x80",
			  &err),
	    0);
	assert_int_equal(
	    CHECK_MSGPACK("\x9D\xCE\x00\x00\x00\x01\xCF\x00\x00\x00\x00\x00\x00\x00\x01\xD0\x01\xD1\x00\x01"
			  "\xD2\x00\x00\x00\x01\xD3\x00\x00\x00\x00\x00\x00\x00\x01\xD4\x05x\xD5\x05xx"
			  "\xD6\x05xxxx\xD7\x05xxxxxxxx\xD8\x05xxxxxxxxxxxxxxxx\xD9\x01x\xDA\x00\x01x",
			  &err),
	    0);
	assert_int_equal(CHECK_MSGPACK("\x93\xDB\x00\x00\x00\x01x\xDC\x00\x01\x00\xDD\x00\x00\x00\x01\x00", &err), 0);
	assert_int_equal(CHECK_MSGPACK("\x92\xDE\x00\x01\xA1x\x00\xDF\x00\x00\x00\x01\xA1x\x81\xA1y\x00", &err), 0);
}

static void assert_msgpack_refused(const void *bytes, size_t size, const char *problem)
{
	struct error err = {0};
	uint8_t *exact = malloc(size > 0 ? size : 1);

	assert_non_null(exact);
	memcpy(exact, bytes, size);
	assert_int_equal(bounds_check_msgpack(exact, size, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_INVALID_JOB);
	assert_non_null(strstr(err.text, problem));
	free(exact);
}
#define REFUSED(bytes, problem) assert_msgpack_refused(bytes, sizeof(bytes) - 1, problem)

static void test_msgpack_refusals(void **state)
{
	(void)state;
	REFUSED("", "byte 0 is cut short");
	REFUSED("\xC1", "byte 0 is no MessagePack");
	REFUSED("\xC6\xFF\xFF\xFF\xFF", "byte 0 is cut short");
	REFUSED("\xC9\xFF\xFF\xFF\xFF\x01", "cut short");
	REFUSED("\xC4\x02x", "cut short");
	REFUSED("\xC6\x00\x00", "cut short");
	REFUSED("\xCB\x00", "cut short");
	REFUSED("\x92\x00", "byte 2 is cut short");
	REFUSED("\x81\xA1x", "byte 3 is cut short");
	REFUSED("\xDD\xFF\xFF\xFF\xFF", "more than 16384 values");
	REFUSED("\xDD\x00\x00\x40\x00", "cut short");
	REFUSED("\xDF\xFF\xFF\xFF\xFF", "more than 256 fields");
	REFUSED("\x81\x01\x02", "the key at byte 1 is not a string");
	REFUSED("\x82\xA1x\x01\xC4\x01x\x01", "the key at byte 4 is not a string");
	REFUSED("\x80\x00", "1 bytes follow");
}

static void test_msgpack_many(void **state)
{
	uint8_t *bytes = malloc(2 * BOUNDS_MAX_VALUES);
	struct error err;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 0x91, BOUNDS_MAX_DEPTH);
	bytes[BOUNDS_MAX_DEPTH] = 0xC0;
	assert_int_equal(bounds_check_msgpack(bytes, BOUNDS_MAX_DEPTH + 1, &err), 0);
	bytes[BOUNDS_MAX_DEPTH] = 0x91;
	bytes[BOUNDS_MAX_DEPTH + 1] = 0xC0;
	assert_msgpack_refused(bytes, BOUNDS_MAX_DEPTH + 2, "nested deeper than 16 at byte 16");

	/* Two arrays that are allowed each, but not together. */
	memset(bytes, 0xC0, 2 * BOUNDS_MAX_VALUES);
	memcpy(bytes, "\x92\xDC\x3F\x00", 4);
	memcpy(bytes + 4 + 0x3F00, "\xDC\x3F\x00", 3);
	assert_msgpack_refused(bytes, 7 + 2 * 0x3F00, "values");
	free(bytes);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_json_depth),       cmocka_unit_test(test_json_values),
    cmocka_unit_test(test_json_fields),      cmocka_unit_test(test_json_strings_do_not_count),
    cmocka_unit_test(test_json_unbalanced),  cmocka_unit_test(test_msgpack_every_type),
    cmocka_unit_test(test_msgpack_refusals), cmocka_unit_test(test_msgpack_many),
};

RUN_TESTS(tests)
