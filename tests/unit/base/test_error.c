#include "run.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

static void test_classes(void **state)
{
	static const struct {
		enum error_code code;
		enum error_class class;
		int result;
	} cases[] = {
	    {ERROR_INVALID_JOB, ERROR_CLASS_REJECT, -EBADMSG},      {ERROR_NO_FACE, ERROR_CLASS_REJECT, -EBADMSG},
	    {ERROR_IMAGE_FETCH_FAILED, ERROR_CLASS_RETRY, -EAGAIN}, {ERROR_INTERNAL, ERROR_CLASS_RETRY, -EAGAIN},
	    {ERROR_CONFIG, ERROR_CLASS_FATAL, -ENOTRECOVERABLE},    {ERROR_CONNECTION, ERROR_CLASS_RETRY, -EAGAIN},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct error err;
		assert_int_equal(error_set(&err, cases[i].code, "text %d", 7), cases[i].result);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(err.class, cases[i].class);
		assert_int_equal(error_code_class(cases[i].code), cases[i].class);
		assert_int_equal(error_errno(&err), cases[i].result);
		assert_string_equal(err.text, "text 7");
		assert_true(error_is_set(&err));
		assert_int_equal(error_set(NULL, cases[i].code, "text"), cases[i].result);
	}
}

static void test_another_class(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set_class(&err, ERROR_CLASS_REJECT, ERROR_IMAGE_FETCH_FAILED, "%s", "private"),
			 -EBADMSG);
	assert_int_equal(err.class, ERROR_CLASS_REJECT);
	assert_int_equal(err.code, ERROR_IMAGE_FETCH_FAILED);
	assert_int_equal(error_set_class(NULL, ERROR_CLASS_FATAL, ERROR_INTERNAL, "x"), -ENOTRECOVERABLE);
}

static void test_limits(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set_limit(&err, ERROR_IMAGE_TOO_LARGE, "a_measure_whose_name_is_long", 3, 2, "too wide"),
			 -EBADMSG);
	assert_string_equal(err.measure, "a_measure_whose_name_is");
	assert_true(err.value == 3 && err.limit == 2);
	assert_int_equal(err.image, 0);
	assert_int_equal(error_set_limit(NULL, ERROR_IMAGE_TOO_LARGE, "width", 3, 2, "x"), -EBADMSG);
	error_set(&err, ERROR_NO_FACE, "none");
	assert_string_equal(err.measure, "");
}

static void test_clear(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_NO_FACE, "none");
	error_clear(&err);
	assert_false(error_is_set(&err));
	assert_string_equal(err.text, "");
}

static void test_prefix(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_NO_FACE, "no face");
	err.image = 'b';
	error_prefix(&err, "image_%c", 'b');
	assert_string_equal(err.text, "image_b: no face");
	assert_int_equal(err.code, ERROR_NO_FACE);
	assert_int_equal(err.image, 'b');
	error_prefix(NULL, "x");
}

/* True if text ends in whole characters; all of them here are "é" behind `ascii` other bytes. */
static bool is_whole(const char *text, size_t ascii)
{
	return (strlen(text) - ascii) % 2 == 0;
}

static void test_long_texts_are_cut_between_characters(void **state)
{
	char long_text[601] = "";
	struct error err;

	(void)state;
	for (int i = 0; i < 300; i++)
		memcpy(long_text + 2 * i, "é", 2);
	error_set(&err, ERROR_NO_FACE, "%s", long_text);
	assert_in_range(strlen(err.text), sizeof(err.text) - 3, sizeof(err.text) - 1);
	assert_true(is_whole(err.text, 0));
	error_set(&err, ERROR_NO_FACE, "x%s", long_text);
	assert_in_range(strlen(err.text), sizeof(err.text) - 3, sizeof(err.text) - 1);
	assert_true(is_whole(err.text, 1));

	/* Neither half of a prefixed text is cut within a character. */
	for (int shift = 0; shift < 2; shift++) {
		error_set(&err, ERROR_NO_FACE, "%s", long_text);
		error_prefix(&err, "%s%s", shift ? "x" : "", long_text);
		char *colon = strchr(err.text, ':');
		assert_non_null(colon);
		*colon = '\0';
		assert_true(is_whole(err.text, (size_t)shift));
		assert_true(is_whole(colon + 2, 0));
	}
	error_set(&err, ERROR_NO_FACE, "%s€", long_text + 601 - 254);
	assert_true(strlen(err.text) < sizeof(err.text));
}

static void test_an_error_may_quote_itself(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_IMAGE_CORRUPT, "cut short");
	error_set(&err, ERROR_INTERNAL, "job 7: %s", err.text);
	assert_string_equal(err.text, "job 7: cut short");
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 1; i < ERROR_CODE_COUNT; i++) {
		const char *name = error_code_name((enum error_code)i);
		assert_non_null(name);
		assert_int_equal(error_code_from_name(name), i);
	}
	assert_string_equal(error_code_name(ERROR_IMAGE_CORRUPT), "image_corrupt");
	assert_string_equal(error_code_name(ERROR_NONE), "none");
	assert_string_equal(error_code_name((enum error_code)ERROR_CODE_COUNT), "internal");
	assert_int_equal(error_code_from_name("out_of_cheese"), ERROR_INTERNAL);
	assert_int_equal(error_code_from_name("none"), ERROR_INTERNAL);
	assert_int_equal(error_code_class((enum error_code)ERROR_CODE_COUNT), ERROR_CLASS_FATAL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_classes),
    cmocka_unit_test(test_another_class),
    cmocka_unit_test(test_limits),
    cmocka_unit_test(test_clear),
    cmocka_unit_test(test_prefix),
    cmocka_unit_test(test_long_texts_are_cut_between_characters),
    cmocka_unit_test(test_an_error_may_quote_itself),
    cmocka_unit_test(test_names),
};

RUN_TESTS(tests)
