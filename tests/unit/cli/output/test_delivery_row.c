#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/delivery_row.h"
#include "cli/output/json_row.h"

#define NOW INT64_C(1764108000000)

static const struct delivery_report retrying = {
    .at_ms = NOW,
    .attempt = 2,
    .outcome = DELIVERY_OUTCOME_RETRYING,
    .origin = "https://shop.example:443",
    .http_status = 503,
    .error = "HTTP 503\033",
    .duration_us = 12500,
    .next_attempt_at_ms = NOW + 5000,
};

static const struct delivery_report parked = {
    .at_ms = NOW, .outcome = DELIVERY_OUTCOME_PARKED, .error = "it is switched off", .duration_us = -1};

static char *print(const struct delivery_report *report, bool json)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (json)
		assert_int_equal(json_row_print(delivery_row_json(report), false, out), 0);
	else
		delivery_row_text(report, out, (struct terminal){0});
	fclose(out);
	return text;
}

static void check(const struct delivery_report *report, bool json, const char *expected)
{
	char *text = print(report, json);

	assert_string_equal(text, expected);
	free(text);
}

static void test_text(void **state)
{
	(void)state;
	check(&retrying, false,
	      "2025-11-25T22:00:00.000Z  callback retrying  attempt 2  https://shop.example:443  12 ms  "
	      "HTTP 503\\x1b, again at 2025-11-25T22:00:05.000Z\n");
	check(&parked, false, "2025-11-25T22:00:00.000Z  callback parked  it is switched off\n");
	check(&(struct delivery_report){.at_ms = NOW, .attempt = 1, .http_status = 204, .duration_us = 1000}, false,
	      "2025-11-25T22:00:00.000Z  callback delivered  attempt 1  1 ms  HTTP 204\n");
}

static void test_json(void **state)
{
	(void)state;
	check(&retrying, true,
	      "{\"at\":\"2025-11-25T22:00:00.000Z\",\"attempt\":2,\"outcome\":\"retrying\","
	      "\"origin\":\"https://shop.example:443\",\"http_status\":503,\"error\":\"HTTP 503\\u001B\","
	      "\"duration_ms\":12.5,\"next_attempt_at\":\"2025-11-25T22:00:05.000Z\"}\n");
	check(&parked, true,
	      "{\"at\":\"2025-11-25T22:00:00.000Z\",\"attempt\":0,\"outcome\":\"parked\",\"origin\":null,"
	      "\"http_status\":null,\"error\":\"it is switched off\",\"duration_ms\":null,\"next_attempt_at\":null}\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_text),
    cmocka_unit_test(test_json),
};

RUN_TESTS(tests)
