#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "job/value.h"

/* A document, open, with what the test refused. */
struct fixture {
	struct document doc;
	struct value root;
	struct error err;
};

static void open_json(struct fixture *f, const char *text)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(document_open(&f->doc, ENCODING_JSON, (const uint8_t *)text, strlen(text), &f->err), 0);
	f->root = value_root(&f->doc);
}

static void open_msgpack(struct fixture *f, const char *bytes, size_t size)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(document_open(&f->doc, ENCODING_MSGPACK, (const uint8_t *)bytes, size, &f->err), 0);
	f->root = value_root(&f->doc);
}
#define OPEN_MSGPACK(f, bytes) open_msgpack(f, bytes, sizeof(bytes) - 1)

static void close_with(struct fixture *f, const char *refusal)
{
	assert_string_equal(f->err.text, refusal);
	assert_int_equal(f->doc.result, refusal[0] != '\0' ? -EBADMSG : 0);
	document_close(&f->doc);
}

static void assert_not_opened(enum encoding encoding, const void *body, size_t size, const char *problem)
{
	struct document doc;
	struct error err = {0};

	assert_int_equal(document_open(&doc, encoding, body, size, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_INVALID_JOB);
	if (!strstr(err.text, problem))
		fail_msg("\"%s\" does not say \"%s\"", err.text, problem);
}

static void test_refuses_json_documents(void **state)
{
	static const struct {
		const char *text;
		const char *problem;
	} cases[] = {
	    {"", "body: is empty"},
	    {"[]", "body: a map was expected"},
	    {"\"x\"", "'[' or '{' expected"},
	    {"{", "body: no JSON at byte 1: string or '}' expected near end of file"},
	    {"{} x", "end of file expected"},
	    {"{\"secret\": nonsense}", "invalid token"},
	    {"{\"a\": 1, \"a\": 2}", "duplicate object key"},
	    {"{\"a\": \"\xFF\"}", "unable to decode byte"},
	    {"{\"a\": \"\\ud800\"}", "invalid Unicode"},
	    {"{\"a\": NaN}", "invalid token"},
	    {"{\"a\": 1e999}", "overflow"},
	    {"{\"a\": 99999999999999999999}", "too big integer"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++)
		assert_not_opened(ENCODING_JSON, cases[i].text, strlen(cases[i].text), cases[i].problem);
}

static void test_json_errors_quote_nothing(void **state)
{
	static const char text[] = "{\"user_id\": secret}";
	struct document doc;
	struct error err;

	(void)state;
	assert_int_equal(document_open(&doc, ENCODING_JSON, (const uint8_t *)text, strlen(text), &err), -EBADMSG);
	assert_null(strstr(err.text, "secret"));
}

static void test_refuses_msgpack_documents(void **state)
{
	(void)state;
	assert_not_opened(ENCODING_MSGPACK, "", 0, "body: is empty");
	assert_not_opened(ENCODING_MSGPACK, "\x90", 1, "body: a map was expected");
	assert_not_opened(ENCODING_MSGPACK, "\x82\xA1x\x01\xA1x\x02", 7, "same key twice");
	assert_not_opened(ENCODING_MSGPACK, "\x81\xA1z\x91\x82\xA1x\x01\xA1x\x02", 11, "same key twice");
	assert_not_opened(ENCODING_MSGPACK, "\x80\x80", 2, "1 bytes follow");
}

static void test_scalars(void **state)
{
	struct fixture f;
	bool boolean = false;
	int64_t integer = 0;
	double number = 0;
	char text[8] = "";

	(void)state;
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			open_json(&f, "{\"b\": true, \"i\": -7, \"n\": 1.5, \"s\": \"Zoë\", \"z\": null}");
		else
			OPEN_MSGPACK(&f, "\x85\xA1"
					 "b\xC3\xA1i\xF9\xA1n\xCA\x3F\xC0\x00\x00\xA1s\xA4Zo\xC3\xAB\xA1z\xC0");
		struct value b = value_field(&f.root, "b");
		struct value whole = value_field(&f.root, "i");
		struct value n = value_field(&f.root, "n");
		struct value s = value_field(&f.root, "s");
		struct value z = value_field(&f.root, "z");
		struct value missing = value_field(&f.root, "missing");
		struct value below_missing = value_field(&missing, "x");
		assert_true(value_read_bool(&b, &boolean) && boolean);
		assert_true(value_read_integer(&whole, -10, 10, &integer) && integer == -7);
		assert_true(value_read_number(&n, &number) && number == 1.5);
		assert_true(value_read_number(&whole, &number) && number == -7);
		assert_true(value_read_string(&s, text, sizeof(text)));
		assert_string_equal(text, "Zoë");
		assert_false(value_is_present(&z));
		assert_false(value_read_bool(&z, &boolean));
		assert_false(value_is_present(&missing));
		assert_false(value_read_map(&missing));
		assert_false(value_read_string(&below_missing, text, sizeof(text)));
		close_with(&f, "");
	}
}

static void test_wrong_types_name_the_path(void **state)
{
	struct fixture f;
	size_t length;
	char text[8] = "old";

	(void)state;
	open_json(&f, "{\"a\": {\"b\": [0, {\"c\": 5}]}}");
	struct value a = value_field(&f.root, "a");
	struct value b = value_field(&a, "b");
	assert_true(value_read_array(&b, 0, 2, &length));
	assert_int_equal(length, 2);
	struct value element = value_element(&b, 1);
	struct value c = value_field(&element, "c");
	assert_false(value_read_string(&c, text, sizeof(text)));
	assert_string_equal(text, "old");
	assert_false(value_read_map(&b)); /* the first refusal stays */
	close_with(&f, "a.b[1].c: a string was expected, found a whole number");

	OPEN_MSGPACK(&f, "\x81\xA1x\xA1y");
	struct value x = value_field(&f.root, "x");
	assert_false(value_read_map(&x));
	close_with(&f, "x: a map was expected, found a string");
}

static void test_ranges(void **state)
{
	struct fixture f;
	int64_t integer;
	double number;
	size_t length;

	(void)state;
	open_json(&f, "{\"i\": 11}");
	struct value i = value_field(&f.root, "i");
	assert_false(value_read_integer(&i, -10, 10, &integer));
	close_with(&f, "i: 11 is not within -10 to 10");

	open_json(&f, "{\"i\": 1.0}");
	i = value_field(&f.root, "i");
	assert_false(value_read_integer(&i, 0, 10, &integer));
	close_with(&f, "i: a whole number was expected, found a number");

	open_json(&f, "{\"a\": [1]}");
	struct value a = value_field(&f.root, "a");
	assert_false(value_read_array(&a, 2, 4, &length));
	close_with(&f, "a: has 1 elements, 2 to 4 were expected");

	OPEN_MSGPACK(&f, "\x81\xA1n\xCB\x7F\xF0\x00\x00\x00\x00\x00\x00");
	struct value n = value_field(&f.root, "n");
	assert_false(value_read_number(&n, &number));
	close_with(&f, "n: is not a finite number");

	OPEN_MSGPACK(&f, "\x81\xA1i\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
	i = value_field(&f.root, "i");
	assert_false(value_read_integer(&i, INT64_MIN, INT64_MAX, &integer));
	close_with(&f, "i: a whole number was expected, found a number");
}

static void test_strings(void **state)
{
	struct fixture f;
	char text[5] = "";

	(void)state;
	open_json(&f, "{\"s\": \"abcde\"}");
	struct value s = value_field(&f.root, "s");
	assert_false(value_read_string(&s, text, sizeof(text)));
	close_with(&f, "s: 5 bytes, at most 4 are allowed");

	open_json(&f, "{\"s\": \"a\\u0000b\"}");
	s = value_field(&f.root, "s");
	assert_false(value_read_string(&s, text, sizeof(text)));
	close_with(&f, "s: contains a NUL");

	OPEN_MSGPACK(&f, "\x81\xA1s\xA2\xC3(");
	s = value_field(&f.root, "s");
	assert_false(value_read_string(&s, text, sizeof(text)));
	close_with(&f, "s: is not valid UTF-8");

	open_json(&f, "{\"s\": \"abc\xC3\xA9\"}");
	s = value_field(&f.root, "s");
	assert_true(value_read_text(&s, text, sizeof(text)));
	assert_string_equal(text, "abc");
	close_with(&f, "");
}

static void test_choices(void **state)
{
	static const char *const names[] = {"red", "green"};
	struct fixture f;
	unsigned index = 7;

	(void)state;
	open_json(&f, "{\"c\": \"green\", \"d\": \"gree\"}");
	struct value c = value_field(&f.root, "c");
	struct value d = value_field(&f.root, "d");
	assert_true(value_read_choice(&c, names, array_size(names), &index));
	assert_int_equal(index, 1);
	assert_false(value_read_choice(&d, names, array_size(names), &index));
	close_with(&f, "d: is none of red, green");
}

static void test_times(void **state)
{
	struct fixture f;
	int64_t ms = 0;

	(void)state;
	open_json(&f, "{\"t\": \"2025-11-25T14:53:07.123Z\", \"u\": \"yesterday\"}");
	struct value t = value_field(&f.root, "t");
	struct value u = value_field(&f.root, "u");
	assert_true(value_read_time(&t, &ms));
	assert_int_equal(ms, 1764082387123);
	assert_false(value_read_time(&u, &ms));
	close_with(&f, "u: is not an RFC 3339 time");
}

static void test_bytes(void **state)
{
	static const char packed[] = "\x81\xA1x\xC4\x02hi";
	const uint8_t *bytes;
	size_t size;
	uint8_t *owned;
	struct fixture f;

	(void)state;
	open_json(&f, "{\"x\": \"aGk=\", \"y\": \"aG k\"}");
	struct value x = value_field(&f.root, "x");
	struct value y = value_field(&f.root, "y");
	assert_true(value_read_bytes(&x, &bytes, &size, &owned));
	assert_int_equal(size, 2);
	assert_memory_equal(bytes, "hi", 2);
	assert_ptr_equal(bytes, owned);
	free(owned);
	assert_false(value_read_bytes(&y, &bytes, &size, &owned));
	close_with(&f, "y: no base64 at character 2 (standard alphabet, padded)");

	open_msgpack(&f, packed, sizeof(packed) - 1);
	x = value_field(&f.root, "x");
	assert_true(value_read_bytes(&x, &bytes, &size, &owned));
	assert_ptr_equal(bytes, packed + 5);
	assert_int_equal(size, 2);
	assert_null(owned);
	close_with(&f, "");

	OPEN_MSGPACK(&f, "\x81\xA1x\xA4"
			 "aGk=");
	x = value_field(&f.root, "x");
	assert_false(value_read_bytes(&x, &bytes, &size, &owned));
	close_with(&f, "x: bytes was expected, found a string");
}

static void test_require(void **state)
{
	struct fixture f;

	(void)state;
	open_json(&f, "{\"m\": {\"n\": null}}");
	struct value m = value_field(&f.root, "m");
	struct value n = value_field(&m, "n");
	assert_true(value_require(&m));
	assert_false(value_require(&n));
	close_with(&f, "m.n: is missing");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_refuses_json_documents),
    cmocka_unit_test(test_json_errors_quote_nothing),
    cmocka_unit_test(test_refuses_msgpack_documents),
    cmocka_unit_test(test_scalars),
    cmocka_unit_test(test_wrong_types_name_the_path),
    cmocka_unit_test(test_ranges),
    cmocka_unit_test(test_strings),
    cmocka_unit_test(test_choices),
    cmocka_unit_test(test_times),
    cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_require),
};

RUN_TESTS(tests)
