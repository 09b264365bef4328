#include "scheduler/schedule_request.h"

#include <string.h>

#include "run.h"
#include "scheduler/plan.h"

/* 2026-11-25T12:00:00Z */
#define NOW_MS INT64_C(1795608000000)

static const struct schedule_request_names names = {"NAME", "AT", "IN", "EVERY", "CRON", "ZONE", "MISFIRE"};

static struct schedule checked(struct schedule_request request)
{
	struct schedule out = {.op = "kept"};
	struct error err = {0};

	if (schedule_request_check(&request, &names, NOW_MS, &out, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(out.op, "kept");
	assert_int_equal(out.created_at_ms, NOW_MS);
	return out;
}

static void assert_refused(struct schedule_request request, const char *text)
{
	struct schedule out = {.due_ms = -1};
	struct error err = {0};

	assert_true(schedule_request_check(&request, &names, NOW_MS, &out, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	if (!strstr(err.text, text))
		fail_msg("%s", err.text);
	assert_int_equal(out.due_ms, -1);
}

static void test_once(void **state)
{
	(void)state;
	struct schedule s = checked((struct schedule_request){.has_at = true, .at_ms = NOW_MS, .name = "n"});
	assert_int_equal(s.due_ms, NOW_MS);
	assert_string_equal(s.name, "n");
	assert_string_equal(s.cron, "");
	assert_string_equal(s.time_zone, "");
	assert_int_equal(checked((struct schedule_request){.has_in = true}).due_ms, NOW_MS);
	s = checked((struct schedule_request){.has_in = true, .in_ms = PLAN_MAX_MS});
	assert_int_equal(s.due_ms, NOW_MS + PLAN_MAX_MS);
	assert_string_equal(s.name, "");
	assert_int_equal(s.every_ms, 0);
}

static void test_again_and_again(void **state)
{
	(void)state;
	struct schedule s = checked((struct schedule_request){
	    .has_every = true, .every_ms = PLAN_MIN_EVERY_MS, .has_misfire = true, .misfire = MISFIRE_SKIP});
	assert_int_equal(s.every_ms, PLAN_MIN_EVERY_MS);
	assert_int_equal(s.due_ms, NOW_MS + PLAN_MIN_EVERY_MS);
	assert_int_equal(s.misfire, MISFIRE_SKIP);
	s = checked((struct schedule_request){.cron = "0 18 * * *", .time_zone = "Europe/Berlin"});
	assert_int_equal(s.due_ms, NOW_MS + 5 * INT64_C(3600000));
	assert_string_equal(s.cron, "0 18 * * *");
	assert_string_equal(s.time_zone, "Europe/Berlin");
	assert_int_equal(s.misfire, MISFIRE_RUN_ONCE);
}

static void test_refusals(void **state)
{
	char long_name[SCHEDULE_REQUEST_MAX_NAME_BYTES + 2];

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_refused((struct schedule_request){0}, "one of AT, IN, EVERY and CRON must be given");
	assert_refused((struct schedule_request){.has_in = true, .cron = "@daily"}, "one of AT");
	assert_refused((struct schedule_request){.has_at = true, .at_ms = NOW_MS - 1}, "AT: is in the past");
	assert_refused((struct schedule_request){.has_at = true, .at_ms = INT64_MAX}, "AT: is more than ten years");
	assert_refused((struct schedule_request){.has_in = true, .in_ms = PLAN_MAX_MS + 1}, "IN: is more than");
	assert_refused((struct schedule_request){.has_in = true, .in_ms = INT64_MAX}, "IN: is more than");
	assert_refused((struct schedule_request){.has_in = true, .in_ms = -1}, "IN: is in the past");
	assert_refused((struct schedule_request){.has_every = true, .every_ms = 999}, "EVERY: must be a second");
	assert_refused((struct schedule_request){.has_every = true, .every_ms = PLAN_MAX_MS + 1}, "EVERY: is more");
	assert_refused((struct schedule_request){.cron = ""}, "CRON: is empty");
	assert_refused((struct schedule_request){.cron = "61 * * * *"}, "CRON: ");
	assert_refused((struct schedule_request){.cron = "@daily", .time_zone = "Europe/Bonn"}, "ZONE: ");
	assert_refused((struct schedule_request){.has_in = true, .time_zone = "UTC"}, "ZONE: goes with CRON");
	assert_refused((struct schedule_request){.has_in = true, .has_misfire = true}, "MISFIRE: goes with EVERY");
	assert_refused((struct schedule_request){.has_in = true, .name = long_name}, "NAME: must be");
	assert_refused((struct schedule_request){.has_in = true, .name = "\xff"}, "NAME: must be");
}

static void test_a_job(void **state)
{
	static const uint8_t picture[] = "not really a picture";
	struct buffer encoded = {0};
	struct schedule s = {0};
	struct error err = {0};
	struct job job;

	(void)state;
	job_init(&job, JOB_SEARCH);
	assert_true(schedule_request_encode(&job, &encoded, &s, &err) < 0);
	assert_int_equal(err.code, ERROR_INVALID_JOB);
	assert_null(s.job);
	job.image_a = (struct job_image){.data = picture, .size = sizeof(picture)};
	assert_int_equal(schedule_request_encode(&job, &encoded, &s, &err), 0);
	assert_string_equal(s.op, "search");
	assert_string_equal(s.scene, "batch");
	assert_string_equal(s.collection, "default");
	assert_ptr_equal(s.job, encoded.data);
	assert_int_equal(s.job_size, encoded.size);
	buffer_finish(&encoded);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_once),
    cmocka_unit_test(test_again_and_again),
    cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_a_job),
};

RUN_TESTS(tests)
