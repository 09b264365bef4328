/* What is scheduled, on the threads of the reading pool. */

#include <string.h>

#include "gateway_private.h"
#include "job/writer.h"
#include "problems.h"
#include "store/schedules.h"

static void refuse_store(struct visit *visit, const struct error *err)
{
	struct http_problem problem;

	http_problem_init(&problem, &problem_store_unavailable, "%s", err->text);
	problem.retry_after_s = 1;
	routes_refuse(visit, &problem);
}

static void refuse(struct visit *visit, const struct http_problem_kind *kind, const char *detail)
{
	struct http_problem problem;

	http_problem_init(&problem, kind, "%s", detail);
	routes_refuse(visit, &problem);
}

static void answer(struct visit *visit, struct buffer *body)
{
	http_call_answer(visit->call, 200, "application/json", body, NULL);
	visit_free(visit);
}

static int out_of_memory(int r, struct error *err)
{
	return r == 0 ? 0 : error_set(err, ERROR_INTERNAL, "out of memory");
}

static int write_schedule(const struct schedule *s, struct buffer *out)
{
	struct writer w;

	writer_init(&w, ENCODING_JSON, out);
	writer_open_map(&w, NULL);
	writer_string(&w, "schedule_id", s->schedule_id);
	writer_string_or_null(&w, "name", s->name);
	writer_string(&w, "op", s->op);
	writer_string(&w, "scene", s->scene);
	writer_string_or_null(&w, "user_id", s->user_id);
	writer_string_or_null(&w, "collection", s->collection);
	writer_string_or_null(&w, "cron", s->cron);
	writer_string_or_null(&w, "time_zone", s->time_zone);
	if (s->every_ms > 0)
		writer_integer(&w, "every_ms", s->every_ms);
	else
		writer_null(&w, "every_ms");
	writer_string(&w, "misfire", s->misfire == MISFIRE_SKIP ? "skip" : "run_once");
	writer_time_or_null(&w, "due", s->due_ms);
	writer_string_or_null(&w, "task_id", s->task_id);
	writer_time_or_null(&w, "created_at", s->created_at_ms);
	writer_time_or_null(&w, "last_run_at", s->last_run_ms);
	writer_close(&w);
	return writer_finish(&w);
}

/* --- one ------------------------------------------------------------------------------------------- */

struct look {
	const struct visitor *visitor;
	bool visible;
	bool decides;
	struct buffer *out;
};

static int show(void *arg, const struct schedule *schedule, struct error *err)
{
	struct look *look = arg;

	look->visible = visitor_sees(look->visitor, schedule->owner);
	look->decides = visitor_decides(look->visitor, schedule->owner);
	return look->visible ? out_of_memory(write_schedule(schedule, look->out), err) : 0;
}

static int find(struct gateway *gateway, struct visit *visit, struct store **store, struct look *look,
		struct error *err)
{
	bool found;
	int r = routes_open_store(gateway, store, err);

	look->visitor = &visit->visitor;
	return r == 0 ? schedules_find(*store, visit->task_id, show, look, &found, err) : r;
}

void schedules_handle_one(struct gateway *gateway, struct visit *visit, struct store **store)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct look look = {.out = &body};
	struct error err;

	if (find(gateway, visit, store, &look, &err) < 0)
		refuse_store(visit, &err);
	else if (!look.visible)
		refuse(visit, &problem_schedule_not_found, "it is not there, or has run for the last time");
	else
		answer(visit, &body);
}

void schedules_handle_remove(struct gateway *gateway, struct visit *visit, struct store **store)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct look look = {.out = &body};
	struct error err;
	bool found = true;
	int r = find(gateway, visit, store, &look, &err);

	if (r == 0 && look.visible && look.decides)
		r = schedules_remove(*store, visit->task_id, &found, &err);
	if (r < 0) {
		refuse_store(visit, &err);
	} else if (!look.visible || !found) {
		refuse(visit, &problem_schedule_not_found, "it is not there, or has run for the last time");
	} else if (!look.decides) {
		refuse(visit, &problem_forbidden, "it is somebody else's schedule");
	} else {
		/* Of a job that was to run later: there will be no such task. */
		recent_remove(gateway->recent, visit->task_id);
		answer(visit, &body);
	}
}

/* --- all ------------------------------------------------------------------------------------------- */

struct page {
	unsigned count;
	char last_id[UUID_SIZE];
	struct buffer *out;
};

static int add_row(void *arg, const struct schedule *schedule, struct error *err)
{
	struct page *page = arg;
	int r = page->count++ > 0 ? buffer_append(page->out, ",", 1) : 0;

	memcpy(page->last_id, schedule->schedule_id, UUID_SIZE);
	return out_of_memory(r == 0 ? write_schedule(schedule, page->out) : r, err);
}

void schedules_handle_list(struct gateway *gateway, struct visit *visit, struct store **store)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	const char *owner = visit->visitor.sees_all ? NULL : visit->visitor.owner;
	struct page page = {.out = &body};
	struct error err;
	int r = routes_open_store(gateway, store, &err);

	if (r == 0)
		r = out_of_memory(buffer_printf(&body, "{\"schedules\":["), &err);
	if (r == 0)
		r = schedules_list(*store, owner, visit->task_id, visit->list.limit, add_row, &page, &err);
	if (r == 0)
		r = out_of_memory(page.count == visit->list.limit
				      ? buffer_printf(&body, "],\"next\":\"%s\"}", page.last_id)
				      : buffer_printf(&body, "],\"next\":null}"),
				  &err);
	if (r < 0)
		refuse_store(visit, &err);
	else
		answer(visit, &body);
}
