/* Which request goes where. Handlers run on the HTTP service's thread: they copy what they need of the headers and hand
 * the rest to a pool, where admit() stands before everything. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "base/clock.h"
#include "gateway_private.h"
#include "health.h"
#include "obs/log.h"
#include "problems.h"
#include "query.h"

/* Threads of the intake, unless gateway.threads says otherwise. */
#define INTAKE_THREADS 2
/* Between lines of the log about a store that fails requests, however many there are. */
#define STORE_LOG_MS 1000

/* --- passing on -------------------------------------------------------------------------------- */

void routes_refuse(struct visit *visit, const struct http_problem *problem)
{
	http_call_refuse(visit->call, problem);
	visit_free(visit);
}

void routes_refuse_as(struct visit *visit, const struct http_problem_kind *kind, const char *detail, int retry_after_s)
{
	struct http_problem problem;

	http_problem_init(&problem, kind, "%s", detail);
	problem.retry_after_s = retry_after_s;
	routes_refuse(visit, &problem);
}

void routes_log_store(struct gateway *gateway, const struct error *err)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms < atomic_load(&gateway->store_logged_ms) + STORE_LOG_MS)
		return;
	atomic_store(&gateway->store_logged_ms, now_ms);
	log_warning(NULL, "the store failed a request", LOG_ERROR_FIELDS(err));
}

void routes_refuse_store(struct gateway *gateway, struct visit *visit, const struct error *err)
{
	routes_log_store(gateway, err);
	routes_refuse_as(visit, &problem_store_unavailable, "", 1);
}

static void refuse_busy(struct http_call *call, const char *detail)
{
	struct http_problem problem;

	http_problem_init(&problem, &http_problem_overloaded, "%s", detail);
	problem.retry_after_s = 1;
	http_call_refuse(call, &problem);
}

/* NULL: the call was refused. */
static struct visit *new_visit(struct http_call *call, visit_fn *handle, enum key_scope scope, int64_t max_wait_ms)
{
	struct visit *visit = visit_new(call, handle, scope, max_wait_ms);

	if (!visit)
		refuse_busy(call, "out of memory");
	return visit;
}

void routes_pass(struct queue *queue, struct visit *visit)
{
	struct http_call *call = visit->call;

	if (queue_length(queue) < ROUTES_MAX_VISITS && queue_push(queue, visit, 0) == 0)
		return;
	visit_free(visit);
	refuse_busy(call, "too many requests are waiting");
}

bool routes_refuse_late(struct gateway *gateway, struct visit *visit)
{
	if (!atomic_load(&gateway->out_of_time))
		return false;
	routes_refuse_as(visit, &http_problem_stopping, "try another one", 1);
	return true;
}

bool routes_admit(struct gateway *gateway, struct visit *visit, struct store **store)
{
	struct http_problem problem;

	if (!visit->call)
		return true;
	if (routes_refuse_late(gateway, visit))
		return false;
	if (admission_check(gateway, visit, store, &problem))
		return true;
	routes_refuse(visit, &problem);
	return false;
}

static void handle_visit(void *arg, void *state, void *item)
{
	struct gateway *gateway = arg;
	struct visit *visit = item;

	if (routes_admit(gateway, visit, state))
		visit->handle(gateway, visit, state);
}

int routes_open_store(struct gateway *gateway, struct store **store, struct error *err)
{
	if (*store)
		return 0;
	if (!gateway->has_store)
		return error_set(err, ERROR_STORE_UNAVAILABLE, "store.url is empty: there is no store");
	return store_open(store, &gateway->store, err);
}

static int enter_pool(void *arg, unsigned index, void **state)
{
	(void)arg;
	(void)index;
	*state = calloc(1, sizeof(struct store *)); /* opened when it is first needed */
	return *state ? 0 : -ENOMEM;
}

static void leave_pool(void *arg, void *state)
{
	struct store **store = state;

	(void)arg;
	store_close(*store);
	free(store);
}

static const struct pool_ops pool_ops = {.enter = enter_pool, .run = handle_visit, .leave = leave_pool};

int routes_start_pools(struct gateway *gateway)
{
	unsigned threads = (unsigned)config_integer(gateway->config, OPTION_GATEWAY_THREADS);
	unsigned store_threads = (unsigned)config_integer(gateway->config, OPTION_GATEWAY_STORE_THREADS);

	if (gateway->synchronous)
		return synchronous_start_pool(&gateway->intake_pool, gateway);
	int r = pool_start(&gateway->intake_pool, "intake", threads > 0 ? threads : INTAKE_THREADS, gateway->intake,
			   &pool_ops, gateway);
	return r == 0
		   ? pool_start(&gateway->reading_pool, "reading", store_threads, gateway->reading, &pool_ops, gateway)
		   : r;
}

void routes_stop_pools(struct gateway *gateway)
{
	pool_stop(gateway->intake_pool);
	pool_stop(gateway->reading_pool);
	gateway->intake_pool = NULL;
	gateway->reading_pool = NULL;
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
	routes_pass(gateway->intake, visit);
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
	routes_pass(gateway->reading, visit);
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
		routes_pass(gateway->reading, visit);
	else
		routes_refuse_as(visit, &problem_task_not_found, "the id is not that of a task", 0);
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
		routes_pass(gateway->reading, visit);
}

/* --- schedules -------------------------------------------------------------------------------------- */

static void pass_schedule(struct gateway *gateway, struct http_call *call, visit_fn *handle)
{
	struct visit *visit;

	if (!query_read_none(call) || !(visit = new_visit(call, handle, KEY_SCHEDULE, 0)))
		return;
	if (read_task_id(call, visit))
		routes_pass(gateway->reading, visit);
	else
		routes_refuse_as(visit, &problem_schedule_not_found, "the id is not that of a schedule", 0);
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
		routes_pass(gateway->intake, visit);
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
	routes_pass(gateway->reading, visit);
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
