#include "run.h"

#include <string.h>

#include "job/control.h"

static int decode(const char *text, struct control *out, struct error *err)
{
	return control_decode(out, (const uint8_t *)text, strlen(text), err);
}

static void test_what_is_written_is_read(void **state)
{
	const struct control messages[] = {
	    {.kind = CONTROL_PEOPLE_CHANGED, .version = 1234567890123},
	    {.kind = CONTROL_SETTINGS, .version = 12},
	    {.kind = CONTROL_PHOTOS_FORGET},
	    {.kind = CONTROL_TASK_CANCELLED, .task_id = "0193a5d0-7c00-7abc-8def-0123456789ab"},
	    {.kind = CONTROL_PERSON_ERASED, .user_id = "ann", .collection = "staff"},
	    {.kind = CONTROL_PERSON_ERASED, .user_id = "ann"},
	    {.kind = CONTROL_ROLL_CALL},
	    {.kind = CONTROL_HEARTBEAT,
	     .heartbeat = {.worker = "host-1",
			   .host = "host",
			   .pid = 1,
			   .version = "0.1.0",
			   .model = "m",
			   .threads = 2,
			   .in_hand = 3,
			   .rate = 12.5,
			   .tasks = 1000,
			   .rss_bytes = INT64_C(5000000000),
			   .started_at_ms = 1764082387123,
			   .at_ms = 1764082387456}},
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < array_size(messages); i++) {
		struct buffer body = {0};
		struct control read;

		assert_int_equal(control_encode(&messages[i], &body), 0);
		assert_int_equal(control_decode(&read, body.data, body.size, &err), 0);
		assert_memory_equal(&read, &messages[i], sizeof(read));
		buffer_finish(&body);
	}
}

static void test_kind_of_a_later_release_is_other(void **state)
{
	struct control read = {.kind = CONTROL_PHOTOS_FORGET};
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
	    {"{\"kind\":\"task_cancelled\"}", "task_id"},
	    {"{\"kind\":\"task_cancelled\",\"task_id\":\"x\"}", "task_id"},
	    {"{\"kind\":\"person_erased\"}", "user_id"},
	    {"{\"kind\":\"person_erased\",\"user_id\":\"ann\",\"collection\":7}", "collection"},
	    {"{\"kind\":\"heartbeat\"}", "worker"},
	    {"{\"kind\":\"heartbeat\",\"worker\":\"w\",\"threads\":-1}", "threads"},
	    {"{\"kind\":\"heartbeat\",\"worker\":\"w\",\"at\":\"now\"}", "at"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		struct control read = {.kind = CONTROL_OTHER, .version = 77};
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
