#include "run.h"

#include <stdio.h>
#include <string.h>

#include "callback/verdict.h"

static struct verdict reach(const struct answer *answer, int attempts)
{
	struct retry_plan plan;
	struct verdict verdict;
	struct error err;

	assert_int_equal(retry_plan_parse(&plan, "5s, 5m, 2h", &err), 0);
	verdict_reach(&verdict, answer, &plan, attempts);
	return verdict;
}

static struct verdict reach_status(long status, int64_t retry_after_ms, int attempts)
{
	const struct answer answer = {.outcome = HTTP_ANSWERED, .status = status, .retry_after_ms = retry_after_ms};

	return reach(&answer, attempts);
}

static struct verdict reach_outcome(enum http_outcome outcome, const char *text, int attempts)
{
	struct answer answer = {.outcome = outcome, .retry_after_ms = -1};

	snprintf(answer.text, sizeof(answer.text), "%s", text);
	return reach(&answer, attempts);
}

static void only_2xx_is_delivered(void **state)
{
	(void)state;
	static const long delivered[] = {200, 201, 202, 204, 299};
	static const long failed[] = {100, 199, 300, 301, 302, 304, 307, 308, 400, 401, 404, 413, 500, 502, 599};

	for (size_t i = 0; i < array_size(delivered); i++)
		assert_int_equal(reach_status(delivered[i], -1, 1).what, VERDICT_DELIVERED);
	for (size_t i = 0; i < array_size(failed); i++) {
		struct verdict verdict = reach_status(failed[i], -1, 1);
		char expected[32];

		snprintf(expected, sizeof(expected), "HTTP %ld", failed[i]);
		assert_int_equal(verdict.what, VERDICT_RETRY);
		assert_int_equal(verdict.delay_ms, 5000);
		assert_string_equal(verdict.reason, expected);
	}
}

static void parks_after_the_last_wait(void **state)
{
	(void)state;
	assert_int_equal(reach_status(500, -1, 2).delay_ms, 300000);
	assert_int_equal(reach_status(500, -1, 3).delay_ms, 7200000);
	struct verdict verdict = reach_status(500, -1, 4);
	assert_int_equal(verdict.what, VERDICT_PARK);
	assert_int_equal(verdict.cause, PARK_EXHAUSTED);
	assert_string_equal(verdict.reason, "callback failed 4 times, lastly: HTTP 500");
	assert_int_equal(reach_status(200, -1, 4).what, VERDICT_DELIVERED);
}

static void gone_and_refused_are_final(void **state)
{
	(void)state;
	struct verdict gone = reach_status(410, -1, 1);
	assert_int_equal(gone.what, VERDICT_PARK);
	assert_int_equal(gone.cause, PARK_GONE);

	struct verdict refused = reach_outcome(HTTP_REFUSED, "127.0.0.1 is not a public address", 1);
	assert_int_equal(refused.what, VERDICT_PARK);
	assert_int_equal(refused.cause, PARK_REFUSED);
	assert_string_equal(refused.reason, "callback refused: 127.0.0.1 is not a public address");
}

static void failures_without_an_answer_are_tried_again(void **state)
{
	(void)state;
	struct verdict verdict = reach_outcome(HTTP_TIMED_OUT, "timed out after 20000 ms", 2);

	assert_int_equal(verdict.what, VERDICT_RETRY);
	assert_int_equal(verdict.delay_ms, 300000);
	assert_string_equal(verdict.reason, "timed out after 20000 ms");
	assert_int_equal(reach_outcome(HTTP_FAILED, "connection refused", 1).what, VERDICT_RETRY);
	assert_int_equal(reach_outcome(HTTP_FAILED, "connection refused", 4).what, VERDICT_PARK);
}

static void retry_after_counts_with_429_and_503_only(void **state)
{
	(void)state;
	assert_int_equal(reach_status(429, 6000, 1).delay_ms, 300000);
	assert_int_equal(reach_status(503, 300001, 1).delay_ms, 7200000);
	assert_int_equal(reach_status(503, INT64_C(1) << 60, 1).delay_ms, 7200000);
	assert_int_equal(reach_status(429, 0, 2).delay_ms, 300000);
	assert_int_equal(reach_status(500, 6000, 1).delay_ms, 5000);
	assert_int_equal(reach_status(429, 6000, 4).what, VERDICT_PARK);
}

static void names_how_an_attempt_ended(void **state)
{
	(void)state;
	static const struct {
		enum http_outcome outcome;
		long status;
		const char *name;
	} cases[] = {
	    {HTTP_ANSWERED, 204, "delivered"}, {HTTP_ANSWERED, 404, "rejected"}, {HTTP_REFUSED, 0, "refused"},
	    {HTTP_TIMED_OUT, 0, "timed_out"},  {HTTP_FAILED, 0, "failed"},
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		const struct answer answer = {.outcome = cases[i].outcome, .status = cases[i].status};
		assert_string_equal(answer_kind_name(answer_kind(&answer)), cases[i].name);
	}
}

static void a_long_reason_is_cut(void **state)
{
	(void)state;
	char text[256];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_true(strlen(reach_outcome(HTTP_REFUSED, text, 1).reason) > 150);
	assert_true(strlen(reach_outcome(HTTP_FAILED, text, 4).reason) > 150);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(only_2xx_is_delivered),
    cmocka_unit_test(parks_after_the_last_wait),
    cmocka_unit_test(gone_and_refused_are_final),
    cmocka_unit_test(failures_without_an_answer_are_tried_again),
    cmocka_unit_test(retry_after_counts_with_429_and_503_only),
    cmocka_unit_test(names_how_an_attempt_ended),
    cmocka_unit_test(a_long_reason_is_cut),
};

RUN_TESTS(tests)
