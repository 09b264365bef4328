#include "gateway/query.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cursor.h"
#include "run.h"

/* A call has one parameter here, and is played by the three functions below. */
struct http_call {
	const char *name;  /* "": none */
	const char *value; /* NULL: it is there twice */
	struct http_problem refusal;
};

int http_call_query(const struct http_call *call, const char *name, char *out, size_t size)
{
	out[0] = '\0';
	if (strcmp(call->name, name) != 0)
		return 0;
	if (!call->value)
		return -EEXIST;
	return (size_t)snprintf(out, size, "%s", call->value) < size ? 1 : -EINVAL;
}

const char *http_call_unknown_query(const struct http_call *call, const char *const *known)
{
	if (!*call->name)
		return NULL;
	for (; *known; known++)
		if (strcmp(call->name, *known) == 0)
			return NULL;
	return call->name;
}

void http_call_refuse(struct http_call *call, const struct http_problem *problem)
{
	call->refusal = *problem;
}

static void tasks_are_filtered(void **state)
{
	struct tasks_cursor place = {.accepted_at_ms = 1764108000000};
	char cursor[CURSOR_SIZE];
	struct visit_list list = {0};

	(void)state;
	uuid_v7(place.task_id);
	cursor_print(&place, cursor);
	assert_true(query_read_tasks(&(struct http_call){"state", "succeeded"}, &list));
	assert_true(list.has_state);
	assert_int_equal(list.state, TASK_SUCCEEDED);
	assert_int_equal(list.limit, 50);
	assert_true(query_read_tasks(&(struct http_call){"scene", "kiosk"}, &list));
	assert_false(list.has_state);
	assert_string_equal(list.scene, "kiosk");
	assert_true(query_read_tasks(&(struct http_call){"user", "ann"}, &list));
	assert_string_equal(list.user_id, "ann");
	assert_true(query_read_tasks(&(struct http_call){"since", "2026-01-01T00:00:00Z"}, &list));
	assert_int_equal(list.since_ms, 1767225600000);
	assert_true(query_read_tasks(&(struct http_call){"limit", "200"}, &list));
	assert_int_equal(list.limit, 200);
	assert_true(query_read_tasks(&(struct http_call){"cursor", cursor}, &list));
	assert_string_equal(list.cursor.task_id, place.task_id);
}

static void what_makes_no_sense_is_refused_by_its_name(void **state)
{
	static const struct {
		struct http_call call;
		const char *field;
	} cases[] = {
	    {{"state", "done"}, "state"},       {{"scene", "no scene"}, "scene"}, {{"since", "yesterday"}, "since"},
	    {{"limit", "0"}, "limit"},          {{"limit", "201"}, "limit"},      {{"limit", "1e2"}, "limit"},
	    {{"limit", "4294967297"}, "limit"}, {{"cursor", "here"}, "cursor"},   {{"state", NULL}, "state"},
	    {{"colour", "red"}, "query"},       {{"user", "\xff"}, "user"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct visit_list list = {0};
		struct http_call call = cases[i].call;

		assert_false(query_read_tasks(&call, &list));
		assert_string_equal(call.refusal.field, cases[i].field);
	}
}

static void schedules_go_on_after_one(void **state)
{
	static const char id[] = "0193f0aa-1111-7abc-8def-000000000001";
	struct http_call wrong = {"cursor", "0193f0aa"};
	struct visit_list list = {0};
	char after[UUID_SIZE];

	(void)state;
	assert_true(query_read_schedules(&(struct http_call){"limit", "7"}, &list, after));
	assert_int_equal(list.limit, 7);
	assert_string_equal(after, "");
	assert_true(query_read_schedules(&(struct http_call){"cursor", id}, &list, after));
	assert_string_equal(after, id);
	assert_false(query_read_schedules(&wrong, &list, after));
	assert_string_equal(wrong.refusal.field, "cursor");
	assert_false(query_read_schedules(&(struct http_call){"state", "failed"}, &list, after));
}

static void nothing_is_nothing(void **state)
{
	struct http_call call = {"limit", "1"};

	(void)state;
	assert_true(query_read_none(&(struct http_call){"", ""}));
	assert_false(query_read_none(&call));
	assert_string_equal(call.refusal.field, "query");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tasks_are_filtered),
    cmocka_unit_test(what_makes_no_sense_is_refused_by_its_name),
    cmocka_unit_test(schedules_go_on_after_one),
    cmocka_unit_test(nothing_is_nothing),
};

RUN_TESTS(tests)
