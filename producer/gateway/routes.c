/* Which request goes where. Handlers run on the HTTP service's thread: they copy what they need of the headers and hand
 * the rest to a pool, where admission_admit() stands before everything. */

#include <stdio.h>
#include <string.h>

#include "admission.h"
#include "gateway_private.h"
#include "health.h"
#include "pools.h"
#include "problems.h"
#include "query.h"

/* NULL: the call was refused. */
static struct visit *new_visit(struct http_call *call, visit_fn *handle, enum key_scope scope, int64_t max_wait_ms)
{
	struct visit *visit = visit_new(call, handle, scope, max_wait_ms);

	if (!visit)
		visit_refuse_busy(call, "out of memory");
	return visit;
}

/* --- jobs ------------------------------------------------------------------------------------------ */

static void pass_job(struct gateway *gateway, struct http_call *call, enum job_op op, enum key_scope scope)
{
	struct visit *visit = new_visit(call, intake_handle, scope, atomic_load(&gateway->max_wait_ms));

	if (!visit)
		return;
	visit->op = op;
	visit->has_user = op == JOB_ENROLL || op == JOB_UNENROLL;
	if (visit->has_user)
		snprintf(visit->user_id, sizeof(visit->user_id), "%s", http_call_parameter(call, 0));
	pools_pass(gateway->intake, visit);
}

static void handle_match(void *arg, struct http_call *call)
{
	pass_job(arg, call, JOB_MATCH, KEY_MATCH);
}

bool routes_glance(void *arg, struct http_call *call, struct http_problem *problem)
{
	const struct gateway *gateway = arg;
	const struct http_route *route = http_call_route(call);

	if (!admission_glance(arg, call, problem))
		return false;
	if (!gateway->synchronous || route->always || route->handle == handle_match)
		return true;
	http_problem_init(problem, &problem_not_in_this_mode, "gateway.mode is synchronous: only /v1/match is served");
	return false;
}

static void handle_verify(void *arg, struct http_call *call)
{
	pass_job(arg, call, JOB_VERIFY, KEY_MATCH);
}

static void handle_search(void *arg, struct http_call *call)
{
	pass_job(arg, call, JOB_SEARCH, KEY_MATCH);
}

static void handle_enroll(void *arg, struct http_call *call)
{
	pass_job(arg, call, JOB_ENROLL, KEY_ENROLL);
}

static void handle_unenroll(void *arg, struct http_call *call)
{
	pass_job(arg, call, JOB_UNENROLL, KEY_ENROLL);
}

/* --- tasks ------------------------------------------------------------------------------------------ */

static void handle_list(void *arg, struct http_call *call)
{
	struct gateway *gateway = arg;
	struct visit_list list = {0};
	struct visit *visit;

	if (!query_read_tasks(call, &list) || !(visit = new_visit(call, tasks_handle_list, KEY_MATCH, 0)))
		return;
	visit->list = list;
	pools_pass(gateway->reading, visit);
}

/* What is no task's id is no task. */
static bool read_task_id(struct http_call *call, struct visit *visit)
{
	const char *text = http_call_parameter(call, 0);

	if (!uuid_is_valid(text))
		return false;
	memcpy(visit->task_id, text, UUID_SIZE);
	return true;
}

static void pass_task(struct gateway *gateway, struct http_call *call, visit_fn *handle)
{
	struct visit *visit;

	if (!query_read_none(call) || !(visit = new_visit(call, handle, KEY_MATCH, 0)))
		return;
	if (read_task_id(call, visit))
		pools_pass(gateway->reading, visit);
	else
		visit_refuse_as(visit, &problem_task_not_found, "the id is not that of a task", 0);
}

static void handle_task(void *arg, struct http_call *call)
{
	pass_task(arg, call, tasks_handle_one);
}

static void handle_cancel(void *arg, struct http_call *call)
{
	pass_task(arg, call, tasks_handle_cancel);
}

static void handle_replay(void *arg, struct http_call *call)
{
	pass_task(arg, call, replays_handle);
}

static void handle_task_events(void *arg, struct http_call *call)
{
	pass_task(arg, call, tasks_handle_events);
}

static void handle_events(void *arg, struct http_call *call)
{
	struct gateway *gateway = arg;
	struct visit *visit;

	if (query_read_none(call) && (visit = new_visit(call, tasks_handle_events, KEY_MATCH, 0)))
		pools_pass(gateway->reading, visit);
}

/* --- schedules -------------------------------------------------------------------------------------- */

static void pass_schedule(struct gateway *gateway, struct http_call *call, visit_fn *handle)
{
	struct visit *visit;

	if (!query_read_none(call) || !(visit = new_visit(call, handle, KEY_SCHEDULE, 0)))
		return;
	if (read_task_id(call, visit))
		pools_pass(gateway->reading, visit);
	else
		visit_refuse_as(visit, &problem_schedule_not_found, "the id is not that of a schedule", 0);
}

static void handle_schedule(void *arg, struct http_call *call)
{
	pass_schedule(arg, call, schedules_handle_one);
}

static void handle_unschedule(void *arg, struct http_call *call)
{
	pass_schedule(arg, call, schedules_handle_remove);
}

static void handle_run_now(void *arg, struct http_call *call)
{
	pass_schedule(arg, call, schedules_handle_run_now);
}

static void handle_new_schedule(void *arg, struct http_call *call)
{
	struct gateway *gateway = arg;
	struct visit *visit;

	if (query_read_none(call) && (visit = new_visit(call, schedules_handle_add, KEY_SCHEDULE, 0)))
		pools_pass(gateway->intake, visit);
}

static void handle_schedules(void *arg, struct http_call *call)
{
	struct gateway *gateway = arg;
	struct visit_list list = {0};
	char after[UUID_SIZE];
	struct visit *visit;

	if (!query_read_schedules(call, &list, after) ||
	    !(visit = new_visit(call, schedules_handle_list, KEY_SCHEDULE, 0)))
		return;
	visit->list = list;
	memcpy(visit->task_id, after, UUID_SIZE);
	pools_pass(gateway->reading, visit);
}

/* --- what the program shows of itself ------------------------------------------------------------------ */

static void answer_state(struct http_call *call, bool good, const char *why)
{
	struct buffer body = {0};

	if (buffer_printf(&body, "%s\n", good ? "ok" : why) != 0)
		buffer_clear(&body);
	http_call_answer(call, good ? 200 : 503, "text/plain; charset=utf-8", &body, NULL);
	buffer_finish(&body);
}

static void handle_health(void *arg, struct http_call *call)
{
	char why[256] = "";

	answer_state(call, health_is_alive(arg, why, sizeof(why)), why);
}

static void handle_readiness(void *arg, struct http_call *call)
{
	char why[256] = "";

	answer_state(call, health_is_ready(arg, why, sizeof(why)), why);
}

static void handle_metrics(void *arg, struct http_call *call)
{
	struct gateway *gateway = arg;
	struct buffer body = {.limit = 32u << 20};

	if (metrics_render(gateway->metrics, &body) != 0)
		buffer_clear(&body);
	http_call_answer(call, 200, "text/plain; version=0.0.4; charset=utf-8", &body, NULL);
	buffer_finish(&body);
}

const struct http_route routes_table[] = {
    {"POST", "/v1/match", handle_match},
    {"POST", "/v1/verify", handle_verify},
    {"POST", "/v1/search", handle_search},
    {"POST", "/v1/users/{id}/faces", handle_enroll},
    {"DELETE", "/v1/users/{id}/faces", handle_unenroll},
    {"GET", "/v1/tasks", handle_list},
    {"GET", "/v1/tasks/{id}", handle_task},
    {"DELETE", "/v1/tasks/{id}", handle_cancel},
    {"POST", "/v1/tasks/{id}/replay", handle_replay},
    {"GET", "/v1/tasks/{id}/events", handle_task_events},
    {"GET", "/v1/events", handle_events},
    {"POST", "/v1/schedules", handle_new_schedule},
    {"GET", "/v1/schedules", handle_schedules},
    {"GET", "/v1/schedules/{id}", handle_schedule},
    {"DELETE", "/v1/schedules/{id}", handle_unschedule},
    {"POST", "/v1/schedules/{id}/run-now", handle_run_now},
    {"GET", "/healthz", handle_health, .always = true},
    {"GET", "/readyz", handle_readiness, .always = true},
    {"GET", "/metrics", handle_metrics, .always = true},
};
const unsigned routes_count = array_size(routes_table);
