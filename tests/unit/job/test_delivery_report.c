#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "job/delivery_report.h"

#define TASK_ID "0193a5d0-7c00-7abc-8def-0123456789ab"
#define NEEDED "\"task_id\":\"" TASK_ID "\",\"at\":\"2025-11-25T14:53:07.123Z\",\"outcome\":\"parked\""

static const struct delivery_report retrying = {
    .task_id = TASK_ID,
    .at_ms = 1764082387123,
    .attempt = 2,
    .outcome = DELIVERY_OUTCOME_RETRYING,
    .origin = "https://shop.example:443",
    .http_status = 503,
    .error = "HTTP 503",
    .duration_us = 12345,
    .next_attempt_at_ms = 1764082392123,
};

static void test_json_form(void **state)
{
	static const struct delivery_report parked = {
	    .task_id = TASK_ID, .at_ms = 1764082387123, .outcome = DELIVERY_OUTCOME_PARKED, .duration_us = -1};
	cleanup_with(buffer_finish) struct buffer body = {0};

	(void)state;
	assert_int_equal(delivery_report_encode(&retrying, &body), 0);
	assert_string_equal((char *)body.data,
			    "{\"task_id\":\"" TASK_ID "\",\"at\":\"2025-11-25T14:53:07.123Z\",\"attempt\":2,"
			    "\"outcome\":\"retrying\",\"origin\":\"https://shop.example:443\",\"http_status\":503,"
			    "\"error\":\"HTTP 503\",\"duration_ms\":12.345,"
			    "\"next_attempt_at\":\"2025-11-25T14:53:12.123Z\"}");
	buffer_clear(&body);
	assert_int_equal(delivery_report_encode(&parked, &body), 0);
	assert_string_equal((char *)body.data,
			    "{\"task_id\":\"" TASK_ID "\",\"at\":\"2025-11-25T14:53:07.123Z\",\"attempt\":0,"
			    "\"outcome\":\"parked\",\"origin\":null,\"http_status\":null,\"error\":null,"
			    "\"duration_ms\":null,\"next_attempt_at\":null}");
}

static void test_round_trip(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct delivery_report back;
	struct error err;

	(void)state;
	assert_int_equal(delivery_report_encode(&retrying, &body), 0);
	assert_int_equal(delivery_report_decode(&back, body.data, body.size, &err), 0);
	assert_string_equal(back.task_id, TASK_ID);
	assert_int_equal(back.at_ms, retrying.at_ms);
	assert_int_equal(back.attempt, 2);
	assert_int_equal(back.outcome, DELIVERY_OUTCOME_RETRYING);
	assert_string_equal(back.origin, retrying.origin);
	assert_int_equal(back.http_status, 503);
	assert_string_equal(back.error, "HTTP 503");
	assert_int_equal(back.duration_us, 12345);
	assert_int_equal(back.next_attempt_at_ms, retrying.next_attempt_at_ms);
}

static void test_what_is_left_out(void **state)
{
	static const char body[] = "{" NEEDED ",\"attempt\":null,\"unknown\":[1]}";
	struct delivery_report report;
	struct error err;

	(void)state;
	assert_int_equal(delivery_report_decode(&report, (const uint8_t *)body, strlen(body), &err), 0);
	assert_int_equal(report.attempt, 0);
	assert_string_equal(report.origin, "");
	assert_int_equal(report.http_status, 0);
	assert_int_equal(report.duration_us, -1);
	assert_int_equal(report.next_attempt_at_ms, 0);
}

static void test_decode_refusals(void **state)
{
	static const struct {
		const char *body;
		const char *text;
	} cases[] = {
	    {"{}", "task_id: is missing"},
	    {"{\"task_id\":null}", "task_id: is missing"},
	    {"{\"task_id\":\"../../etc\"}", "task_id: is not a UUID in lower case"},
	    {"{\"task_id\":\"" TASK_ID "\"}", "at: is missing"},
	    {"{\"task_id\":\"" TASK_ID "\",\"at\":\"1970-01-01T00:00:00.000Z\"}", "at: is before 1970"},
	    {"{\"task_id\":\"" TASK_ID "\",\"at\":\"2025-11-25T14:53:07.123Z\"}", "outcome: is missing"},
	    {"{" NEEDED ",\"attempt\":-1}", "attempt: "},
	    {"{" NEEDED ",\"origin\":\"https://example.com:443/hook?token=1\"}", "origin: is more or less than"},
	    {"{" NEEDED ",\"origin\":\"https://user@example.com\"}", "origin: is more or less than"},
	    {"{" NEEDED ",\"origin\":\"https://\"}", "origin: is more or less than"},
	    {"{" NEEDED ",\"origin\":\"file:\"}", "origin: is more or less than"},
	    {"{" NEEDED ",\"http_status\":1000}", "http_status: "},
	    {"{" NEEDED ",\"duration_ms\":-0.5}", "duration_ms: is not from 0 to"},
	    {"{" NEEDED ",\"duration_ms\":1e300}", "duration_ms: is not from 0 to"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct delivery_report report = {.attempt = 77};
		struct error err;
		const char *body = cases[i].body;

		assert_int_equal(delivery_report_decode(&report, (const uint8_t *)body, strlen(body), &err), -EBADMSG);
		if (strncmp(err.text, cases[i].text, strlen(cases[i].text)) != 0)
			fail_msg("%s: %s", body, err.text);
		assert_int_equal(report.attempt, 77);
	}
}

/* What went wrong may be told at any length; an origin that does not fit is none. */
static void test_long_text(void **state)
{
	struct delivery_report report;
	char long_text[2000];
	char body[4096];
	struct error err;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	snprintf(body, sizeof(body), "{" NEEDED ",\"error\":\"%s\"}", long_text);
	assert_int_equal(delivery_report_decode(&report, (const uint8_t *)body, strlen(body), &err), 0);
	assert_int_equal(strlen(report.error), sizeof(report.error) - 1);
	snprintf(body, sizeof(body), "{" NEEDED ",\"origin\":\"http://%s\"}", long_text);
	assert_int_equal(delivery_report_decode(&report, (const uint8_t *)body, strlen(body), &err), -EBADMSG);
}

static void test_routing_keys(void **state)
{
	char key[ENVELOPE_SHORT_SIZE];

	(void)state;
	delivery_report_routing_key("", DELIVERY_OUTCOME_PARKED, key);
	assert_string_equal(key, "delivery.unknown.parked");
	delivery_report_routing_key("batch", DELIVERY_OUTCOME_DELIVERED, key);
	assert_string_equal(key, "delivery.batch.delivered");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_json_form),       cmocka_unit_test(test_round_trip), cmocka_unit_test(test_what_is_left_out),
    cmocka_unit_test(test_decode_refusals), cmocka_unit_test(test_long_text),  cmocka_unit_test(test_routing_keys),
};

RUN_TESTS(tests)
