#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/watch/worker_row.h"

static const struct muster_member member = {
    .beat =
	{
	    .worker = "wo\033rker",
	    .host = "h1",
	    .pid = 42,
	    .version = "0.1.0",
	    .model = "sface",
	    .threads = 8,
	    .in_hand = 17,
	    .rate = 12.25,
	    .tasks = 1000,
	    .rss_bytes = 100 << 20,
	    .started_at_ms = 1764108000000,
	},
    .age_ms = 1250,
};

static void test_table(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(worker_rows_text(&member, 1, out, (struct terminal){0}), 0);
	fclose(out);
	assert_string_equal(
	    text,
	    "host  worker      version  model  threads  in hand  tasks/s  tasks  MiB  up since               seen\n"
	    "h1    wo\\x1brker  0.1.0    sface        8       17     12.2   1000  100  2025-11-25T22:00:00Z  1.2 s\n");
	free(text);
}

static void test_json(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(worker_row_json(&member, out), 0);
	fclose(out);
	assert_string_equal(text, "{\"worker\":\"wo\\u001Brker\",\"host\":\"h1\",\"pid\":42,\"program_version\":\"0.1."
				  "0\",\"model\":\"sface\","
				  "\"threads\":8,\"in_hand\":17,\"rate\":12.25,\"tasks\":1000,\"rss_bytes\":104857600,"
				  "\"started_at\":\"2025-11-25T22:00:00.000Z\",\"at\":null,\"seen_s\":1.25}\n");
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_table),
    cmocka_unit_test(test_json),
};

RUN_TESTS(tests)
