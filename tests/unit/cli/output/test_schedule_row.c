#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/schedule_row.h"

static struct schedule example(void)
{
	return (struct schedule){
	    .schedule_id = "01930000-0000-7000-8000-000000000001",
	    .name = "nigh\033tly",
	    .owner = "",
	    .op = "verify",
	    .scene = "batch",
	    .user_id = "ann",
	    .collection = "staff",
	    .cron = "30 2 * * *",
	    .time_zone = "Europe/Berlin",
	    .due_ms = 1795608000000,
	    .created_at_ms = 1795600000000,
	};
}

static char *print(const struct schedule *schedule, bool json)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (json)
		assert_int_equal(schedule_row_json(schedule, out), 0);
	else
		schedule_row_text(schedule, out);
	fclose(out);
	return text;
}

static void expect_when(const struct schedule *schedule, const char *when)
{
	char *text = print(schedule, false);

	if (!strstr(text, when))
		fail_msg("%s", text);
	free(text);
}

static void test_table(void **state)
{
	struct schedule s = example();
	char *text = print(&s, false);

	(void)state;
	assert_string_equal(text, "01930000-0000-7000-8000-000000000001  2026-11-25T12:00:00.000Z  verify  "
				  "  30 2 * * * Europe/Berlin  nigh\\x1btly\n");
	free(text);
	s.cron = "";
	expect_when(&s, " once ");
	s.every_ms = 5400000;
	expect_when(&s, " every 90m ");
	s.every_ms = 172800000;
	expect_when(&s, " every 2d ");
	s.every_ms = 1001;
	expect_when(&s, " every 1001ms ");
}

static void test_json(void **state)
{
	struct schedule s = example();
	char *text = print(&s, true);

	(void)state;
	assert_string_equal(text,
			    "{\"schedule_id\":\"01930000-0000-7000-8000-000000000001\",\"name\":\"nigh\\u001Btly\","
			    "\"owner\":null,\"op\":\"verify\",\"scene\":\"batch\",\"user_id\":\"ann\","
			    "\"collection\":\"staff\",\"cron\":\"30 2 * * *\",\"time_zone\":\"Europe/Berlin\","
			    "\"every_ms\":null,\"misfire\":\"run-once\",\"due_at\":\"2026-11-25T12:00:00.000Z\","
			    "\"task_id\":null,\"created_at\":\"2026-11-25T09:46:40.000Z\",\"last_run_at\":null}\n");
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_table),
    cmocka_unit_test(test_json),
};

RUN_TESTS(tests)
