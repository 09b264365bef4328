#include "run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wakeup.h"
#include "cli/input/lines.h"
#include "text_file.h"

static void assert_line(struct lines *lines, const char *expected, uint64_t number)
{
	char *text;
	size_t length;

	assert_int_equal(lines_next(lines, &text, &length), LINES_LINE);
	assert_string_equal(text, expected);
	assert_int_equal(length, strlen(expected));
	assert_int_equal(lines_number(lines), number);
}

static void assert_status(struct lines *lines, enum lines_status expected)
{
	char *text;
	size_t length;

	assert_int_equal(lines_next(lines, &text, &length), expected);
}

static void test_line_ends(void **state)
{
	int fd = text_file("one\ntwo\r\n\nfour");
	struct lines *lines = lines_new(fd, -1);

	(void)state;
	assert_line(lines, "one", 1);
	assert_int_equal(lines_offset(lines), 4);
	assert_line(lines, "two", 2);
	assert_int_equal(lines_offset(lines), 9);
	assert_line(lines, "", 3);
	assert_false(lines_torn(lines));
	assert_line(lines, "four", 4);
	assert_true(lines_torn(lines));
	assert_status(lines, LINES_END);
	assert_status(lines, LINES_END);
	lines_free(lines);
	close(fd);
}

static void test_empty_input(void **state)
{
	int fd = text_file("");
	struct lines *lines = lines_new(fd, -1);

	(void)state;
	assert_status(lines, LINES_END);
	assert_false(lines_torn(lines));
	lines_free(lines);
	close(fd);
}

/* A file of one line of `length` bytes and one of "after". */
static int long_line(size_t length, const char *end)
{
	char *text = malloc(length + 16);

	memset(text, 'x', length);
	sprintf(text + length, "%safter\n", end);
	int fd = text_file(text);
	free(text);
	return fd;
}

static void check_length(size_t length, const char *end, enum lines_status expected)
{
	int fd = long_line(length, end);
	struct lines *lines = lines_new(fd, -1);

	assert_status(lines, expected);
	assert_line(lines, "after", 2);
	lines_free(lines);
	close(fd);
}

static void test_long_lines_are_skipped(void **state)
{
	(void)state;
	check_length(LINES_MAX, "\n", LINES_LINE);
	check_length(LINES_MAX, "\r\n", LINES_LINE);
	check_length(LINES_MAX + 1, "\n", LINES_TOO_LONG);
	check_length(LINES_MAX + 1, "\r\n", LINES_TOO_LONG);
	check_length(LINES_MAX + 2, "\n", LINES_TOO_LONG);
	check_length(5 * LINES_MAX + 3, "\n", LINES_TOO_LONG);
}

static void test_long_last_line(void **state)
{
	int fd = long_line(3 * LINES_MAX, "");
	struct lines *lines = lines_new(fd, -1);

	(void)state;
	assert_status(lines, LINES_TOO_LONG);
	assert_status(lines, LINES_END);
	lines_free(lines);
	close(fd);
}

static void test_wakeup_ends_the_wait(void **state)
{
	int wake = wakeup_open();
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	struct lines *lines = lines_new(ends[0], wake);
	assert_int_equal(write(ends[1], "whole\nhalf", 10), 10);
	assert_line(lines, "whole", 1);
	wakeup_signal(wake);
	assert_status(lines, LINES_STOPPED);
	lines_free(lines);
	close(ends[0]);
	close(ends[1]);
	close(wake);
}

static void test_unreadable_input(void **state)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);
	struct lines *lines = lines_new(fd, -1);

	(void)state;
	assert_status(lines, LINES_FAILED);
	lines_free(lines);
	close(fd);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_line_ends),
    cmocka_unit_test(test_empty_input),
    cmocka_unit_test(test_long_lines_are_skipped),
    cmocka_unit_test(test_long_last_line),
    cmocka_unit_test(test_wakeup_ends_the_wait),
    cmocka_unit_test(test_unreadable_input),
};

RUN_TESTS(tests)
