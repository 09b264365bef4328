#include "query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "cursor.h"
#include "problems.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 200

static void refuse(struct http_call *call, const char *field, const char *detail)
{
	struct http_problem problem;

	http_problem_init(&problem, &problem_invalid_query, "%s: %s", field, detail);
	snprintf(problem.field, sizeof(problem.field), "%s", field);
	http_call_refuse(call, &problem);
}

/* Reads one parameter. False: it was refused. */
static bool read_text(struct http_call *call, const char *name, char *out, size_t size)
{
	int r = http_call_query(call, name, out, size);

	if (r == -EEXIST)
		refuse(call, name, "is there twice");
	else if (r < 0)
		refuse(call, name, "is too long or badly encoded");
	return r >= 0;
}

/* `known` ends with NULL. False: another was refused. */
static bool check(struct http_call *call, const char *const *known)
{
	const char *unknown = http_call_unknown_query(call, known);

	if (unknown)
		refuse(call, "query", "has a parameter that is not known here");
	return !unknown;
}

static bool read_limit(struct http_call *call, struct visit_list *list)
{
	char text[16];

	if (!read_text(call, "limit", text, sizeof(text)))
		return false;
	size_t digits = strspn(text, "0123456789");
	list->limit = text[0] == '\0' ? LIMIT_DEFAULT : (unsigned)strtoul(text, NULL, 10);
	if (text[digits] == '\0' && digits < 10 && list->limit >= 1 && list->limit <= LIMIT_MAX)
		return true;
	refuse(call, "limit", "a whole number from 1 to 200 was expected");
	return false;
}

static bool read_filter(struct http_call *call, struct visit_list *list)
{
	char state[16];
	char since[64];

	if (!read_text(call, "state", state, sizeof(state)) ||
	    !read_text(call, "scene", list->scene, sizeof(list->scene)) ||
	    !read_text(call, "user", list->user_id, sizeof(list->user_id)) ||
	    !read_text(call, "since", since, sizeof(since)))
		return false;
	list->has_state = state[0] != '\0';
	if (list->has_state && task_state_from_name(state, &list->state) < 0) {
		refuse(call, "state", "is not the name of a state");
		return false;
	}
	if (list->scene[0] != '\0' && !job_scene_is_valid(list->scene)) {
		refuse(call, "scene", "1 to 32 characters of a-z, 0-9, _ and - were expected");
		return false;
	}
	/* PostgreSQL would fail, as if it were its fault. */
	if (!utf8_is_valid(list->user_id, strlen(list->user_id))) {
		refuse(call, "user", "is not valid UTF-8");
		return false;
	}
	if (since[0] != '\0' && clock_parse_rfc3339(since, &list->since_ms) < 0) {
		refuse(call, "since", "an RFC 3339 time was expected");
		return false;
	}
	return true;
}

bool query_read_tasks(struct http_call *call, struct visit_list *list)
{
	static const char *const known[] = {"state", "scene", "since", "user", "limit", "cursor", NULL};
	char cursor[CURSOR_SIZE];

	if (!check(call, known) || !read_filter(call, list) || !read_limit(call, list) ||
	    !read_text(call, "cursor", cursor, sizeof(cursor)))
		return false;
	if (cursor[0] == '\0' || cursor_parse(cursor, &list->cursor))
		return true;
	refuse(call, "cursor", "is not one that was given out");
	return false;
}

bool query_read_schedules(struct http_call *call, struct visit_list *list, char after[UUID_SIZE])
{
	static const char *const known[] = {"limit", "cursor", NULL};
	char cursor[CURSOR_SIZE];

	if (!check(call, known) || !read_limit(call, list) || !read_text(call, "cursor", cursor, sizeof(cursor)))
		return false;
	if (cursor[0] != '\0' && !uuid_is_valid(cursor)) {
		refuse(call, "cursor", "is not one that was given out");
		return false;
	}
	snprintf(after, UUID_SIZE, "%.36s", cursor);
	return true;
}

bool query_read_none(struct http_call *call)
{
	static const char *const known[] = {NULL};

	return check(call, known);
}
