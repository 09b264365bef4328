/* What is scheduled: added on the threads of the intake pool, the rest on those of the reading pool. */

#include <stdio.h>
#include <string.h>

#include "admission.h"
#include "base/clock.h"
#include "gateway_private.h"
#include "job/scene.h"
#include "job/writer.h"
#include "later.h"
#include "problems.h"
#include "schedule_body.h"
#include "store/schedules.h"
#include "store_access.h"

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
	struct recent_task task; /* of its next run */
	struct buffer *out;
};

static int show(void *arg, const struct schedule *schedule, struct error *err)
{
	struct look *look = arg;

	look->visible = visitor_sees(look->visitor, schedule->owner);
	look->decides = visitor_decides(look->visitor, schedule->owner);
	if (!look->visible)
		return 0;
	int r = later_fill_task(&look->task, schedule, err);
	return r == 0 ? out_of_memory(write_schedule(schedule, look->out), err) : r;
}

static void refuse_unknown(struct visit *visit)
{
	visit_refuse_as(visit, &problem_schedule_not_found, "it is not there, or has run for the last time", 0);
}

static int find(struct gateway *gateway, struct visit *visit, struct store **store, struct look *look,
		struct error *err)
{
	bool found;
	int r = store_access_open(gateway, store, err);

	look->visitor = &visit->visitor;
	return r == 0 ? schedules_find(*store, visit->task_id, show, look, &found, err) : r;
}

void schedules_handle_one(struct gateway *gateway, struct visit *visit, struct store **store)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct look look = {.out = &body};
	struct error err;

	if (find(gateway, visit, store, &look, &err) < 0)
		store_access_refuse(gateway, visit, &err);
	else if (!look.visible)
		refuse_unknown(visit);
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
		store_access_refuse(gateway, visit, &err);
	} else if (!look.visible || !found) {
		refuse_unknown(visit);
	} else if (!look.decides) {
		visit_refuse_as(visit, &problem_forbidden, "it is somebody else's schedule", 0);
	} else {
		/* There will be no such task. */
		recent_remove(gateway->recent, look.task.task_id);
		answer(visit, &body);
	}
}

/* --- now ------------------------------------------------------------------------------------------- */

/* Shown from memory until the tracker knows it. */
static void remember_run(struct gateway *gateway, struct recent_task *task, const char *task_id, int64_t now_ms)
{
	cleanup_with(buffer_finish) struct buffer reply = {0};
	struct recent_task known;
	struct scene scene;

	memcpy(task->task_id, task_id, UUID_SIZE);
	task->accepted_at_ms = now_ms;
	task->updated_at_ms = now_ms;
	task->deadline_ms = scene_find(task->scene, &scene) ? now_ms + scene.end_to_end_ms : 0;
	if (!recent_find(gateway->recent, task_id, &known, &reply))
		recent_add(gateway->recent, task);
}

/* False: the visit has been answered. */
static bool check_run(struct visit *visit, const struct look *look)
{
	const struct recent_task *task = &look->task;
	struct http_problem problem;

	if (!look->visible) {
		refuse_unknown(visit);
		return false;
	}
	if (!look->decides) {
		visit_refuse_as(visit, &problem_forbidden, "it is somebody else's schedule", 0);
		return false;
	}
	if (admission_check_collection(&visit->visitor, task->op, task->collection, "collection", &problem))
		return true;
	visit_refuse(visit, &problem);
	return false;
}

void schedules_handle_run_now(struct gateway *gateway, struct visit *visit, struct store **store)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct look look = {.out = &body};
	int64_t now_ms = clock_unix_ms();
	char task_id[UUID_SIZE];
	struct error err;
	bool found;
	int r = find(gateway, visit, store, &look, &err);

	if (r == 0 && !check_run(visit, &look))
		return;
	uuid_v7(task_id);
	if (r == 0)
		r = schedules_run_now(*store, visit->task_id, now_ms, task_id, &found, &err);
	if (r < 0) {
		store_access_refuse(gateway, visit, &err);
	} else if (!found) {
		refuse_unknown(visit);
	} else {
		remember_run(gateway, &look.task, task_id, now_ms);
		submission_answer_scheduled(&(struct submission){.call = visit->call, .task = look.task}, now_ms);
		visit_free(visit);
	}
}

/* --- a new one ------------------------------------------------------------------------------------- */

static void answer_created(struct visit *visit, const char *schedule_id, bool again, struct buffer *body)
{
	struct http_header headers[3] = {0};
	char location[64];

	snprintf(location, sizeof(location), "/v1/schedules/%s", schedule_id);
	headers[0] = (struct http_header){"Location", location};
	if (again)
		headers[1] = (struct http_header){"Idempotent-Replayed", "true"};
	http_call_answer(visit->call, 201, "application/json", body, headers);
	visit_free(visit);
}

static void show_created(struct gateway *gateway, struct visit *visit, struct store **store, const char *schedule_id,
			 bool again)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct look look = {.out = &body};
	struct error err;

	memcpy(visit->task_id, schedule_id, UUID_SIZE);
	if (find(gateway, visit, store, &look, &err) < 0)
		store_access_refuse(gateway, visit, &err);
	else if (!look.visible)
		refuse_unknown(visit);
	else
		answer_created(visit, schedule_id, again, &body);
}

static void answer_again(struct gateway *gateway, struct visit *visit, struct store **store, const char *schedule_id)
{
	show_created(gateway, visit, store, schedule_id, true);
}

static void store_schedule(struct gateway *gateway, struct visit *visit, struct store **store,
			   struct schedule *schedule)
{
	const struct buffer *sent = http_call_body(visit->call);
	const struct ticket_subject subject = {
	    .target = "schedules",
	    .body = sent->data,
	    .body_size = sent->size,
	    .id = schedule->schedule_id,
	    .answer_again = answer_again,
	};
	struct ticket *ticket = NULL;
	struct error err;
	bool inserted;
	bool allowed = false;

	uuid_v7(schedule->schedule_id);
	if (visit->has_idempotency_key) {
		ticket = ticket_claim(gateway, visit, store, &subject);
		if (!ticket)
			return;
		memcpy(schedule->schedule_id, ticket->claim.task_id, UUID_SIZE);
	}
	int r = store_access_open(gateway, store, &err);
	if (r == 0)
		r = admission_check_schedules(gateway, schedule->owner, *store, &allowed, &err);
	if (r == 0 && allowed)
		r = schedules_add(*store, schedule, &inserted, &err);
	if (r == 0 && ticket)
		ticket_end(gateway, ticket, allowed, store);
	else if (ticket)
		ticket_forget(gateway, ticket);
	if (r < 0)
		store_access_refuse(gateway, visit, &err);
	else if (!allowed)
		visit_refuse_as(visit, &problem_too_many_schedules, "", 1);
	else
		show_created(gateway, visit, store, schedule->schedule_id, false);
}

static void add(struct gateway *gateway, struct visit *visit, struct store **store, const struct schedule_body *body)
{
	cleanup_with(buffer_finish) struct buffer job = {0};
	char owner[ENVELOPE_OWNER_SIZE];
	struct schedule schedule = {.owner = owner};
	struct http_problem problem;
	struct error err;

	memcpy(owner, visit->visitor.owner, sizeof(owner));
	if (schedule_request_check(&body->when, &schedule_body_names, clock_unix_ms(), &schedule, &err) < 0) {
		problem_from_error(&problem, &problem_invalid_schedule, &err);
		visit_refuse(visit, &problem);
	} else if (schedule_request_encode(&body->job, &job, &schedule, &err) < 0) {
		problem_from_encoding(&problem, &err);
		visit_refuse(visit, &problem);
	} else {
		store_schedule(gateway, visit, store, &schedule);
	}
}

/* What may not be asked for at once may not be scheduled either. */
static bool check_job(const struct visitor *visitor, const struct job *job, struct http_problem *problem)
{
	bool enrolls = job->op == JOB_ENROLL || job->op == JOB_UNENROLL;

	if (visitor_may(visitor, enrolls ? KEY_ENROLL : KEY_MATCH))
		return admission_check_collection(visitor, job->op, job->collection, "job.collection", problem);
	http_problem_init(problem, &problem_forbidden, "it lacks the scope for this job");
	return false;
}

void schedules_handle_add(struct gateway *gateway, struct visit *visit, struct store **store)
{
	const char *content_type = visit->has_content_type ? visit->content_type : NULL;
	const struct buffer *sent = http_call_body(visit->call);
	struct schedule_body body;
	struct http_problem problem;

	if (schedule_body_read(&body, content_type, sent->data, sent->size, &problem) < 0 ||
	    !check_job(&visit->visitor, &body.job, &problem))
		visit_refuse(visit, &problem);
	else
		add(gateway, visit, store, &body);
	schedule_body_finish(&body);
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
	int r = store_access_open(gateway, store, &err);

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
		store_access_refuse(gateway, visit, &err);
	else
		answer(visit, &body);
}
