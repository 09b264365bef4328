#include "run.h"

#include <string.h>

#include "cli/input/csv_line.h"

static struct csv_line line;

static int split(const char *text, struct error *err)
{
	return csv_line_split(&line, text, strlen(text), err);
}

static void test_fields(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(split("1, a b ,\"x, y\",\"say \"\"hi\"\"\",,\" kept \"", &err), 0);
	assert_int_equal(line.count, 6);
	assert_string_equal(line.fields[0], "1");
	assert_string_equal(line.fields[1], "a b");
	assert_string_equal(line.fields[2], "x, y");
	assert_string_equal(line.fields[3], "say \"hi\"");
	assert_string_equal(line.fields[4], "");
	assert_string_equal(line.fields[5], " kept ");
}

static void assert_refused(const char *text, size_t length, const char *expected)
{
	struct error err = {0};

	assert_true(csv_line_split(&line, text, length, &err) < 0);
	assert_non_null(strstr(err.text, expected));
}

static void test_refusals(void **state)
{
	char many[CSV_LINE_MAX_FIELDS + 1];

	(void)state;
	assert_refused("1,\"open", 7, "quote");
	assert_refused("1,\"a\"b,c", 8, "quote");
	assert_refused("1,a\"b,c", 7, "quote");
	assert_refused("1,a\rb,c", 7, "carriage return");
	assert_refused("1,\0,c", 5, "zero byte");
	memset(many, ',', sizeof(many));
	assert_refused(many, sizeof(many), "columns");
}

static void test_a_bad_line_leaves_no_trace(void **state)
{
	struct error err = {0};

	(void)state;
	assert_true(split("1,\"open", &err) < 0);
	assert_int_equal(split("2,b", &err), 0);
	assert_int_equal(line.count, 2);
	assert_string_equal(line.fields[0], "2");
}

static void test_longest_line(void **state)
{
	static char text[LINES_MAX + 1];
	struct error err = {0};

	(void)state;
	memset(text, 'x', LINES_MAX);
	text[LINES_MAX / 2] = ',';
	assert_int_equal(split(text, &err), 0);
	assert_int_equal(line.count, 2);
	assert_int_equal(strlen(line.fields[0]) + strlen(line.fields[1]), LINES_MAX - 1);
}

static void test_what_is_written_reads_back(void **state)
{
	static const char *const fields[] = {"plain", "", "a,b", "\"q\"", " edge ", "Zürich"};
	struct buffer out = {0};
	struct error err = {0};

	(void)state;
	for (unsigned i = 0; i < array_size(fields); i++)
		assert_int_equal(csv_line_append(&out, fields[i], i == 0), 0);
	assert_string_equal((char *)out.data, "plain,,\"a,b\",\"\"\"q\"\"\",\" edge \",Zürich");
	assert_int_equal(split((char *)out.data, &err), 0);
	assert_int_equal(line.count, array_size(fields));
	for (unsigned i = 0; i < array_size(fields); i++)
		assert_string_equal(line.fields[i], fields[i]);
	buffer_finish(&out);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_fields),
    cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_a_bad_line_leaves_no_trace),
    cmocka_unit_test(test_longest_line),
    cmocka_unit_test(test_what_is_written_reads_back),
};

RUN_TESTS(tests)
