#include "run.h"

#include <errno.h>
#include <string.h>

#include "base/trace.h"

#define TRACE_ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN_ID "00f067aa0ba902b7"

static void assert_is_new(const struct trace *t)
{
	assert_int_equal(strlen(t->trace_id), 32);
	assert_int_equal(strspn(t->trace_id, "0123456789abcdef"), 32);
	assert_int_equal(strlen(t->span_id), 16);
	assert_string_equal(t->parent_id, "");
	assert_string_not_equal(t->trace_id, TRACE_ID);
	assert_int_equal(t->flags, 0);
}

static void test_begin(void **state)
{
	struct trace a;
	struct trace b;

	(void)state;
	trace_begin(&a);
	trace_begin(&b);
	assert_is_new(&a);
	assert_string_not_equal(a.trace_id, b.trace_id);
	assert_string_not_equal(a.span_id, b.span_id);
}

static void test_continue(void **state)
{
	static const struct {
		const char *text;
		uint8_t flags;
	} cases[] = {
	    {"00-" TRACE_ID "-" SPAN_ID "-00", 0},
	    {"00-" TRACE_ID "-" SPAN_ID "-01", 1},
	    {"00-" TRACE_ID "-" SPAN_ID "-03", 1},
	    {"00-" TRACE_ID "-" SPAN_ID "-fe", 0},
	    /* A later version: what we know of it counts. */
	    {"01-" TRACE_ID "-" SPAN_ID "-01", 1},
	    {"cc-" TRACE_ID "-" SPAN_ID "-01-what-comes-later", 1},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct trace t;
		assert_int_equal(trace_continue(&t, cases[i].text), 0);
		assert_string_equal(t.trace_id, TRACE_ID);
		assert_string_equal(t.parent_id, SPAN_ID);
		assert_int_equal(strlen(t.span_id), 16);
		assert_string_not_equal(t.span_id, SPAN_ID);
		assert_int_equal(t.flags, cases[i].flags);
	}
}

static void test_what_is_ignored(void **state)
{
	static const char *const cases[] = {
	    NULL,
	    "",
	    "00",
	    "00-" TRACE_ID "-" SPAN_ID,
	    "00-" TRACE_ID "-" SPAN_ID "-0",
	    "00-" TRACE_ID "-" SPAN_ID "-0g",
	    "00-" TRACE_ID "-" SPAN_ID "-01-x",
	    "00-" TRACE_ID "-" SPAN_ID "-01x",
	    "01-" TRACE_ID "-" SPAN_ID "-01x",
	    "ff-" TRACE_ID "-" SPAN_ID "-01",
	    "0g-" TRACE_ID "-" SPAN_ID "-01",
	    "00_" TRACE_ID "-" SPAN_ID "-01",
	    "00-" TRACE_ID "_" SPAN_ID "-01",
	    "00-" TRACE_ID "-" SPAN_ID "_01",
	    "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN_ID "-01",
	    "00-00000000000000000000000000000000-" SPAN_ID "-01",
	    "00-" TRACE_ID "-0000000000000000-01",
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct trace t;
		assert_int_equal(trace_continue(&t, cases[i]), -EINVAL);
		assert_is_new(&t);
	}
}

static void test_format(void **state)
{
	struct trace t = {.trace_id = TRACE_ID, .span_id = SPAN_ID, .flags = 1};
	struct trace next;
	char text[TRACEPARENT_SIZE];

	(void)state;
	trace_format(&t, text);
	assert_string_equal(text, "00-" TRACE_ID "-" SPAN_ID "-01");
	trace_begin(&t);
	trace_format(&t, text);
	assert_int_equal(trace_continue(&next, text), 0);
	assert_string_equal(next.trace_id, t.trace_id);
	assert_string_equal(next.parent_id, t.span_id);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_begin),
    cmocka_unit_test(test_continue),
    cmocka_unit_test(test_what_is_ignored),
    cmocka_unit_test(test_format),
};

RUN_TESTS(tests)
