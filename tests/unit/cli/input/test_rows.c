#include "run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/input/lines.h"
#include "cli/input/rows.h"
#include "text_file.h"

static int fd;
static struct rows *rows;
static struct row row;
static struct error err;

static void open_rows_of(enum job_op op, const char *text)
{
	fd = text_file(text);
	rows = rows_new(fd, -1, row_form_of(op));
	assert_non_null(rows);
}

static void open_rows(const char *text)
{
	open_rows_of(JOB_MATCH, text);
}

static void close_rows(void)
{
	rows_free(rows);
	close(fd);
}

static void assert_row(uint64_t line, const char *id, const char *image_a, const char *image_b)
{
	assert_int_equal(rows_next(rows, &row, &err), ROWS_ROW);
	assert_int_equal(row.line, line);
	assert_string_equal(row.id, id);
	assert_string_equal(row.image_a, image_a);
	assert_string_equal(row.image_b, image_b);
}

static void assert_bad(uint64_t line, const char *expected)
{
	memset(&err, 0, sizeof(err));
	assert_int_equal(rows_next(rows, &row, &err), ROWS_BAD);
	assert_int_equal(row.line, line);
	assert_non_null(strstr(err.text, expected));
}

static void assert_end(void)
{
	assert_int_equal(rows_next(rows, &row, &err), ROWS_END);
}

static void assert_failed(const char *text, const char *expected)
{
	open_rows(text);
	assert_int_equal(rows_next(rows, &row, &err), ROWS_FAILED);
	assert_non_null(strstr(err.text, expected));
	close_rows();
}

static void test_csv_without_header(void **state)
{
	(void)state;
	open_rows("1,a.jpg,b.jpg\r\n2,\"a, b.jpg\",c.jpg,ann,https://example.com/h\n");
	assert_row(1, "1", "a.jpg", "b.jpg");
	assert_string_equal(row.callback, "");
	assert_row(2, "2", "a, b.jpg", "c.jpg");
	assert_string_equal(row.user_id, "ann");
	assert_string_equal(row.callback, "https://example.com/h");
	assert_end();
	close_rows();
}

static void test_csv_header_in_any_order(void **state)
{
	(void)state;
	open_rows("\xef\xbb\xbfsame,Image_B,image_a,id,scene\n1,b.jpg,a.jpg,7,realtime\n");
	assert_row(2, "7", "a.jpg", "b.jpg");
	assert_string_equal(row.scene, "realtime");
	assert_end();
	close_rows();
}

static void test_byte_order_mark_before_a_row(void **state)
{
	(void)state;
	open_rows("\xef\xbb\xbf"
		  "1,a,b\n");
	assert_row(1, "1", "a", "b");
	close_rows();
}

static void test_bad_csv_rows_do_not_stop_the_rest(void **state)
{
	(void)state;
	open_rows("1,a,b\n2,\"a,b\n3,a\n\n,a,b\n6,a,b,u,https://h,more\n7,a,b\n");
	assert_row(1, "1", "a", "b");
	assert_bad(2, "quote");
	assert_bad(3, "image_b: missing");
	assert_bad(5, "id: missing");
	assert_bad(6, "6 columns where a row without header has at most 5");
	assert_row(7, "7", "a", "b");
	assert_end();
	close_rows();
}

static void test_more_columns_than_the_header(void **state)
{
	(void)state;
	open_rows("id,image_a,image_b\n1,a,b,c\n2,a,b\n");
	assert_bad(2, "4 columns where the header has 3");
	assert_row(3, "2", "a", "b");
	close_rows();
}

static void test_unusable_input(void **state)
{
	(void)state;
	assert_failed("id,image_a\n", "no column image_b");
	assert_failed("id,image_a,image_b,id\n", "names id twice");
	assert_failed("[{\"id\":1}]\n", "JSON array");
	assert_failed("\xff\xfe"
		      "i",
		      "UTF-16");
}

static void test_jsonl(void **state)
{
	(void)state;
	open_rows(
	    "\n  {\"id\":\"x\",\"image_a\":\"a\\u00fc\",\"image_b\":\"b\",\"same\":1,\"user_id\":null}\n"
	    "{\"id\":42,\"image_a\":\"a\",\"image_b\":\"https://e.com/b\",\"user_id\":7,\"callback\":\"https://c\"}");
	assert_row(2, "x", "aü", "b");
	assert_string_equal(row.user_id, "");
	assert_row(3, "42", "a", "https://e.com/b");
	assert_string_equal(row.user_id, "7");
	assert_string_equal(row.callback, "https://c");
	assert_end();
	close_rows();
}

static void test_bad_jsonl_rows_do_not_stop_the_rest(void **state)
{
	(void)state;
	open_rows("{\"id\":\"1\",\"image_a\":\"a\",\"image_b\":\"b\"}\n"
		  "{\"id\":\"2\",\n"
		  "[1]\n"
		  "{\"id\":\"4\",\"image_a\":5,\"image_b\":\"b\"}\n"
		  "{\"id\":\"5\",\"id\":\"5\",\"image_a\":\"a\",\"image_b\":\"b\"}\n"
		  "{\"id\":\"6\\u0000\",\"image_a\":\"a\",\"image_b\":\"b\"}\n"
		  "{\"id\":\"7\\n\",\"image_a\":\"a\",\"image_b\":\"b\"}\n"
		  "{\"id\":\"8\",\"image_a\":\"a\",\"image_b\":\"b\"}\n");
	assert_row(1, "1", "a", "b");
	assert_bad(2, "column");
	assert_bad(3, "one JSON object a line");
	assert_bad(4, "image_a: expected a string");
	assert_bad(5, "duplicate");
	assert_bad(6, "\\u0000");
	assert_bad(7, "control character");
	assert_row(8, "8", "a", "b");
	assert_end();
	close_rows();
}

static void test_long_things(void **state)
{
	static char text[LINES_MAX * 2];
	char id[301] = "";

	(void)state;
	memset(id, 'i', sizeof(id) - 1);
	int length = sprintf(text, "1,a,b\n%s,a,b\n", id);
	memset(text + length, 'x', LINES_MAX + 5);
	strcpy(text + length + LINES_MAX + 5, "\n4,a,b\n");
	open_rows(text);
	assert_row(1, "1", "a", "b");
	assert_bad(2, "id: longer than 256");
	assert_bad(3, "longer than 65536 bytes");
	assert_row(4, "4", "a", "b");
	assert_int_equal(rows_offset(rows), strlen(text));
	close_rows();
}

static void test_empty_input(void **state)
{
	(void)state;
	open_rows("\n  \r\n");
	assert_end();
	close_rows();
}

static void assert_enrolment(uint64_t line, const char *user, const char *image, const char *collection, const char *id)
{
	assert_row(line, id, image, "");
	assert_string_equal(row.user_id, user);
	assert_string_equal(row.collection, collection);
	assert_int_equal(row.folder_fd, -1);
}

static void test_enrolments_without_header(void **state)
{
	(void)state;
	open_rows_of(JOB_ENROLL, "ann,a.jpg\nann,a.jpg,staff\nbob\n,c.jpg\nbob,c.jpg,staff,more\n");
	assert_enrolment(1, "ann", "a.jpg", "", "ann a.jpg");
	assert_enrolment(2, "ann", "a.jpg", "staff", "ann a.jpg staff");
	assert_bad(3, "image: missing");
	assert_bad(4, "user_id: missing");
	assert_bad(5, "4 columns where a row without header has at most 3");
	assert_end();
	close_rows();
}

static void test_enrolments_with_header(void **state)
{
	(void)state;
	open_rows_of(JOB_ENROLL, "image,id,image_a,User_ID\na.jpg,7,no meaning,ann\nb.jpg,,,ann\n");
	assert_enrolment(2, "ann", "a.jpg", "", "7");
	assert_enrolment(3, "ann", "b.jpg", "", "ann b.jpg");
	assert_end();
	close_rows();
	open_rows_of(JOB_ENROLL, "image,collection\n");
	assert_int_equal(rows_next(rows, &row, &err), ROWS_FAILED);
	assert_string_equal(err.text, "the header has no column user_id");
	close_rows();
}

static void test_enrolments_of_jsonl(void **state)
{
	(void)state;
	open_rows_of(JOB_ENROLL, "{\"user_id\":7,\"image\":\"a.jpg\",\"image_b\":[]}\n"
				 "{\"user_id\":\"ann\",\"image_a\":\"a.jpg\"}\n"
				 "{\"user_id\":\"a\\u001b\",\"image\":\"a.jpg\"}\n"
				 "{\"user_id\":\"ann\",\"image\":\"https://e.com/a\",\"collection\":\"staff\"}\n");
	assert_enrolment(1, "7", "a.jpg", "", "7 a.jpg");
	assert_bad(2, "image: missing");
	assert_bad(3, "control character");
	assert_enrolment(4, "ann", "https://e.com/a", "staff", "ann https://e.com/a staff");
	assert_end();
	close_rows();
}

static void test_a_name_that_is_too_long(void **state)
{
	char text[600] = "ann,";

	(void)state;
	memset(text + 4, 'p', 252);
	strcpy(text + 256, "\nann,");
	memset(text + 261, 'p', 253);
	open_rows_of(JOB_ENROLL, text);
	assert_int_equal(rows_next(rows, &row, &err), ROWS_ROW);
	assert_int_equal(strlen(row.id), 256);
	assert_bad(2, "id: longer than 256 bytes");
	close_rows();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_csv_without_header),
    cmocka_unit_test(test_csv_header_in_any_order),
    cmocka_unit_test(test_byte_order_mark_before_a_row),
    cmocka_unit_test(test_bad_csv_rows_do_not_stop_the_rest),
    cmocka_unit_test(test_more_columns_than_the_header),
    cmocka_unit_test(test_unusable_input),
    cmocka_unit_test(test_jsonl),
    cmocka_unit_test(test_bad_jsonl_rows_do_not_stop_the_rest),
    cmocka_unit_test(test_long_things),
    cmocka_unit_test(test_empty_input),
    cmocka_unit_test(test_enrolments_without_header),
    cmocka_unit_test(test_enrolments_with_header),
    cmocka_unit_test(test_enrolments_of_jsonl),
    cmocka_unit_test(test_a_name_that_is_too_long),
};

RUN_TESTS(tests)
