#include "gateway/form.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

#define NAMED(name) "Content-Disposition: form-data; name=\"" name "\"\r\n"

static void test_content_types(void **state)
{
	static const struct {
		const char *text;
		bool wanted;
		const char *boundary;
	} cases[] = {
	    {"multipart/form-data; boundary=abc", true, "abc"},
	    {"Multipart/Form-Data;BOUNDARY=\"a b\"", true, ""},
	    {"multipart/form-data; charset=utf-8; boundary=\"a=b\" ", true, "a=b"},
	    {"multipart/form-data; boundary=a; boundary=b", true, ""},
	    {"multipart/form-data; boundary=", true, ""},
	    {"multipart/form-data; boundary=\"abc", true, ""},
	    {"multipart/form-data boundary=abc", true, ""},
	    {"multipart/form-data", true, ""},
	    {"multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789",
	     true, "0123456789012345678901234567890123456789012345678901234567890123456789"},
	    {"multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678901234567890",
	     true, ""},
	    {"multipart/form-datax; boundary=abc", false, ""},
	    {"multipart/mixed; boundary=abc", false, ""},
	    {"", false, ""},
	};
	char boundary[FORM_BOUNDARY_SIZE];

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		assert_int_equal(form_is_wanted(cases[i].text, boundary), cases[i].wanted);
		assert_string_equal(boundary, cases[i].boundary);
	}
}

static int parse(struct form *form, const char *body, struct error *err)
{
	return form_parse(form, "b", (const uint8_t *)body, strlen(body), err);
}

static void assert_part(const struct form_part *part, const char *name, bool is_file, const char *data)
{
	assert_string_equal(part->name, name);
	assert_int_equal(part->is_file, is_file);
	assert_int_equal(part->size, strlen(data));
	assert_memory_equal(part->data, data, part->size);
}

static void test_parts(void **state)
{
	struct form form;
	struct error err;

	(void)state;
	assert_int_equal(
	    parse(&form,
		  "--b\r\n" NAMED(
		      "one") "\r\nvalue\r\n"
			     "--b  \r\ncontent-disposition:form-data;name=two;filename=\"a\\\"b.jpg\"\r\n"
			     "Content-Type: image/jpeg\r\n\r\n\r\n--b\r\n" NAMED("three") "\r\n\r\n--b\r\n" NAMED(
				 "four") "Content-Type: text/plain; charset=utf-8\r\n\r\n--\r\n--b--\r\nepilogue",
		  &err),
	    0);
	assert_int_equal(form.count, 4);
	assert_part(&form.parts[0], "one", false, "value");
	assert_part(&form.parts[1], "two", true, "");
	assert_part(&form.parts[2], "three", false, "");
	assert_part(&form.parts[3], "four", false, "--");
}

static void test_bytes_of_all_kinds(void **state)
{
	static const char head[] = "preamble\r\n--b\r\n" NAMED("x") "\r\n";
	static const char content[] = "\0\xff\r\n--\r\n-b\r\n--\0b";
	uint8_t body[256];
	size_t size = 0;
	struct form form;
	struct error err;

	(void)state;
	memcpy(body, head, sizeof(head) - 1);
	size += sizeof(head) - 1;
	memcpy(body + size, content, sizeof(content) - 1);
	size += sizeof(content) - 1;
	memcpy(body + size, "\r\n--b--", 7);
	assert_int_equal(form_parse(&form, "b", body, size + 7, &err), 0);
	assert_int_equal(form.count, 1);
	assert_int_equal(form.parts[0].size, sizeof(content) - 1);
	assert_memory_equal(form.parts[0].data, content, sizeof(content) - 1);
}

static void test_what_is_no_form(void **state)
{
	static const char *const bodies[] = {
	    "",
	    "--",
	    "--b",
	    "--bx",
	    "--b\r\n",
	    "--b\n" NAMED("x") "\r\ny\r\n--b--",
	    "--b\r\n" NAMED("x") "\r\ny",
	    "--b\r\n" NAMED("x") "\r\ny\r\n--b",
	    "--b\r\n" NAMED("x") "\r\ny\r\n--b-",
	    "--b\r\n" NAMED("x") "\r\ny\r\n--c--",
	    "--b\r\n" NAMED("x") "\r\ny\r\n--bx\r\n--b--", /* others may or may not take it for a boundary */
	    "--b\r\n" NAMED("x") "y\r\n--b--",
	    "--b\r\n\r\ny\r\n--b--",
	    "--b\r\n" NAMED("") "\r\ny\r\n--b--",
	    "--b\r\n" NAMED("x") NAMED("x") "\r\ny\r\n--b--",
	    "--b\r\nContent-Disposition: form-data; name=\"x\"; name=\"y\"\r\n\r\ny\r\n--b--",
	    "--b\r\nContent-Disposition: form-data; name=\"x\r\n\r\ny\r\n--b--",
	    "--b\r\nContent-Disposition: attachment; name=\"x\"\r\n\r\ny\r\n--b--",
	    "--b\r\n" NAMED("0123456789012345678901234567890123456789012345678901234567890123") "\r\ny\r\n--b--",
	    "--b\r\n" NAMED("x") "Content-Transfer-Encoding: base64\r\n\r\ny\r\n--b--",
	    "--b\r\n" NAMED("x") "No colon\r\n\r\ny\r\n--b--",
	    "--b\r\n" NAMED("x") ": no name\r\n\r\ny\r\n--b--",
	    "--b\r\n" NAMED("x") "A: b\n\r\n\r\ny\r\n--b--",
	};
	struct form form;
	struct error err;

	(void)state;
	for (size_t i = 0; i < array_size(bodies); i++) {
		int r = parse(&form, bodies[i], &err);
		if (r != -EBADMSG || err.code != ERROR_INVALID_JOB || err.text[0] == '\0')
			fail_msg("body %zu: %d", i, r);
	}
}

static void test_bounds(void **state)
{
	static char body[20000];
	struct form form;
	struct error err;
	size_t length = 0;

	(void)state;
	for (int i = 0; i < FORM_MAX_PARTS; i++)
		length += (size_t)sprintf(body + length, "--b\r\n" NAMED("x") "\r\n\r\n");
	sprintf(body + length, "--b--");
	assert_int_equal(parse(&form, body, &err), 0);
	assert_int_equal(form.count, FORM_MAX_PARTS);
	sprintf(body + length, "--b\r\n" NAMED("x") "\r\n\r\n--b--");
	assert_int_equal(parse(&form, body, &err), -EBADMSG);
	sprintf(body, "--b\r\n" NAMED("x") "X: %05000d\r\n\r\ny\r\n--b--", 0);
	assert_int_equal(parse(&form, body, &err), -EBADMSG);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_content_types),   cmocka_unit_test(test_parts),  cmocka_unit_test(test_bytes_of_all_kinds),
    cmocka_unit_test(test_what_is_no_form), cmocka_unit_test(test_bounds),
};

RUN_TESTS(tests)
