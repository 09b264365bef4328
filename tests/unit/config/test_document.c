#include "config/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static struct document read_good(const char *text)
{
	struct document document = {0};
	struct error err = {0};

	if (document_read(&document, "f.yaml", (const uint8_t *)text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
	return document;
}

static void check_bad_bytes(const char *text, size_t size, const char *expected)
{
	struct document document = {0};
	struct error err = {0};

	assert_true(document_read(&document, "f.yaml", (const uint8_t *)text, size, &err) < 0);
	assert_null(document.items);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_string_equal(err.text, expected);
}

static void check_bad(const char *text, const char *expected)
{
	check_bad_bytes(text, strlen(text), expected);
}

static void check_entry(const struct document *document, size_t index, const char *key, const char *value)
{
	assert_true(index < document->count);
	assert_string_equal(document->items[index].key, key);
	if (value)
		assert_string_equal(document->items[index].value, value);
	else
		assert_null(document->items[index].value);
}

static void test_maps_are_joined_by_dots(void **state)
{
	struct document d = read_good("a: 1\n"
				      "b:\n"
				      "  c: two words\n"
				      "  d: {e: \"x\\ny\", f: 'it''s'}\n"
				      "g.h: |\n"
				      "  block\n"
				      "i: \"\"\n"
				      "j:\n"
				      "k: ~\n"
				      "l: 'null'\n");

	(void)state;
	assert_int_equal(d.count, 9);
	check_entry(&d, 0, "a", "1");
	check_entry(&d, 1, "b.c", "two words");
	check_entry(&d, 2, "b.d.e", "x\ny");
	check_entry(&d, 3, "b.d.f", "it's");
	check_entry(&d, 4, "g.h", "block\n");
	check_entry(&d, 5, "i", "");
	check_entry(&d, 6, "j", NULL);
	check_entry(&d, 7, "k", NULL);
	check_entry(&d, 8, "l", "null");
	document_finish(&d);
}

static void test_places_count_from_one(void **state)
{
	struct document d = read_good("# a comment\na:\n  bc:   7\n");

	(void)state;
	assert_int_equal(d.items[0].line, 3);
	assert_int_equal(d.items[0].column, 3);
	assert_int_equal(d.items[0].value_line, 3);
	assert_int_equal(d.items[0].value_column, 9);
	document_finish(&d);
}

static void test_empty_documents(void **state)
{
	static const char *const texts[] = {"", "\n", "# only a comment\n", "---\n", "---\n...\n", "{}", "~"};

	(void)state;
	for (size_t i = 0; i < array_size(texts); i++) {
		struct document d = read_good(texts[i]);
		assert_int_equal(d.count, 0);
		document_finish(&d);
	}
}

static void test_what_is_not_supported_is_refused_where_it_stands(void **state)
{
	(void)state;
	check_bad("a: [1, 2]\n", "f.yaml:1:4: a: a list is not expected here");
	check_bad("a:\n- 1\n", "f.yaml:2:1: a: a list is not expected here");
	check_bad("- 1\n", "f.yaml:1:1: a list is not expected here");
	check_bad("a: &x 1\n", "f.yaml:1:4: a: anchors and tags are not supported");
	check_bad("a: *x\n", "f.yaml:1:4: a: aliases are not supported");
	check_bad("a: !!int 1\n", "f.yaml:1:4: a: anchors and tags are not supported");
	check_bad("a: &x {b: 1}\n", "f.yaml:1:4: a: anchors and tags are not supported");
	check_bad("? {a: 1}\n: 2\n", "f.yaml:1:3: a key must be a plain word");
	check_bad("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document is not expected");
	check_bad("word\n", "f.yaml:1:1: expected a map of sections and options");
	check_bad("a: \"x\\0y\"\n", "f.yaml:1:4: a: a zero byte is not allowed");
	check_bad("'': 1\n", "f.yaml:1:1: a key is empty");
	check_bad("a b: 1\n", "f.yaml:1:1: a key has blanks or control characters");
}

static void test_no_key_comes_twice_however_spelled(void **state)
{
	(void)state;
	check_bad("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: a: given before in line 1");
	check_bad("a: {b: 1}\na.b: 2\n", "f.yaml:2:1: a.b: given before in line 1");
	check_bad("a: {b: 1}\na: {b: 2}\n", "f.yaml:2:5: a.b: given before in line 1");
}

static void test_syntax_errors_have_a_place(void **state)
{
	(void)state;
	check_bad("a: \"x\n", "f.yaml:2:1: a: found unexpected end of stream");
	check_bad("a: {b: 1\n", "f.yaml:2:1: a: did not find expected ',' or '}'");
	check_bad("a: 1\n\tb: 2\n", "f.yaml:2:1: a: found a tab character that violates indentation");
	check_bad("a: 1\n b: 2\n", "f.yaml:2:3: mapping values are not allowed in this context");
	check_bad("ok: 1\nbad: \xFF\n", "f.yaml:2: invalid leading UTF-8 octet (byte 11)");
}

static void test_depth_is_bounded(void **state)
{
	struct document d = read_good("a: {b: {c: {d: 1}}}");

	(void)state;
	check_entry(&d, 0, "a.b.c.d", "1");
	document_finish(&d);
	check_bad("a: {b: {c: {d: {e: 1}}}}", "f.yaml:1:16: a.b.c.d: nested too deeply");
}

static void test_sizes_are_bounded(void **state)
{
	char *text = malloc(DOCUMENT_TEXT_MAX + 1);
	char *end = text;
	char expected[100];

	(void)state;
	assert_non_null(text);
	for (int i = 0; i <= DOCUMENT_ENTRIES_MAX; i++)
		end += sprintf(end, "k%d: 1\n", i);
	check_bad(text, "f.yaml:1001:8: k1000: too many keys");

	end = text + sprintf(text, "%0200d", 0);
	sprintf(end, ": 1\n");
	check_bad(text, "f.yaml:1:1: a key is too long");

	memset(text, '#', DOCUMENT_TEXT_MAX + 1);
	snprintf(expected, sizeof(expected), "f.yaml: %u bytes, at most %u are read", DOCUMENT_TEXT_MAX + 1,
		 DOCUMENT_TEXT_MAX);
	check_bad_bytes(text, DOCUMENT_TEXT_MAX + 1, expected);
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_maps_are_joined_by_dots),
    cmocka_unit_test(test_places_count_from_one),
    cmocka_unit_test(test_empty_documents),
    cmocka_unit_test(test_what_is_not_supported_is_refused_where_it_stands),
    cmocka_unit_test(test_no_key_comes_twice_however_spelled),
    cmocka_unit_test(test_syntax_errors_have_a_place),
    cmocka_unit_test(test_depth_is_bounded),
    cmocka_unit_test(test_sizes_are_bounded),
};

RUN_TESTS(tests)
