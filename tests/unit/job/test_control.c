#include "run.h"

#include <string.h>

#include "job/control.h"

static int decode(const char *text, struct control *out, struct error *err)
{
	return control_decode(out, (const uint8_t *)text, strlen(text), err);
}

static void test_what_is_written_is_read(void **state)
{
	const struct control messages[] = {{CONTROL_PEOPLE_CHANGED, 1234567890123}, {CONTROL_PHOTOS_FORGET, 0}};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < array_size(messages); i++) {
		struct buffer body = {0};
		struct control read;

		assert_int_equal(control_encode(&messages[i], &body), 0);
		assert_int_equal(control_decode(&read, body.data, body.size, &err), 0);
		assert_int_equal(read.kind, messages[i].kind);
		assert_int_equal(read.version, messages[i].version);
		buffer_finish(&body);
	}
}

static void test_kind_of_a_later_release_is_other(void **state)
{
	struct control read = {CONTROL_PHOTOS_FORGET, 1};
	struct error err = {0};

	(void)state;
	assert_int_equal(decode("{\"kind\":\"tomorrow\",\"more\":[1]}", &read, &err), 0);
	assert_int_equal(read.kind, CONTROL_OTHER);
}

static void test_what_is_no_message_is_refused(void **state)
{
	static const struct {
		const char *text;
		const char *path;
	} bad[] = {
	    {"", ""},
	    {"[]", ""},
	    {"{}", "kind"},
	    {"{\"kind\":7}", "kind"},
	    {"{\"kind\":\"people_changed\"}", "version"},
	    {"{\"kind\":\"people_changed\",\"version\":-1}", "version"},
	    {"{\"kind\":\"people_changed\",\"version\":\"1\"}", "version"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		struct control read = {CONTROL_OTHER, 77};
		struct error err = {0};

		assert_true(decode(bad[i].text, &read, &err) < 0);
		assert_int_equal(err.code, ERROR_INVALID_JOB);
		assert_non_null(strstr(err.text, bad[i].path));
		assert_int_equal(read.version, 77);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_what_is_written_is_read),
    cmocka_unit_test(test_kind_of_a_later_release_is_other),
    cmocka_unit_test(test_what_is_no_message_is_refused),
};

RUN_TESTS(tests)
