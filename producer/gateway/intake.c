/* Requests that become jobs, on the threads of the intake pool. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway_private.h"
#include "job_body.h"
#include "later.h"
#include "obs/log.h"
#include "problems.h"

/* What is wrong with an encoded job is a client's mistake, but for want of memory. */
static void refuse_encoding(struct visit *visit, const struct error *err)
{
	struct http_problem problem;
	const struct http_problem_kind *kind = err->code == ERROR_IMAGE_TOO_LARGE ? &problem_image_too_large
					       : err->code == ERROR_INVALID_JOB   ? &problem_invalid_job
										  : &problem_internal;

	problem_from_error(&problem, kind, err);
	routes_refuse(visit, &problem);
}

/* --- requests that their sender may repeat ------------------------------------------------------------- */

static void refuse(struct visit *visit, const struct http_problem_kind *kind, const char *detail, int retry_after_s)
{
	struct http_problem problem;

	http_problem_init(&problem, kind, "%s", detail);
	problem.retry_after_s = retry_after_s;
	routes_refuse(visit, &problem);
}

/* A ticket for a job. What the job is made of is compared, not the body: the boundary of a form is new each time. */
static struct ticket *new_ticket(const struct visit *visit, const struct amqp_message *message)
{
	struct ticket *ticket = calloc(1, sizeof(*ticket));

	if (!ticket)
		return NULL;
	if (!idempotency_guard_read(visit->idempotency_key, ticket->key)) {
		free(ticket);
		return NULL;
	}
	/* Strangers share nothing but their address. */
	if (visit->visitor.owner[0] != '\0')
		snprintf(ticket->owner, sizeof(ticket->owner), "%.16s", visit->visitor.owner);
	else
		snprintf(ticket->owner, sizeof(ticket->owner), "@%s", visit->address);
	char target[96];
	snprintf(target, sizeof(target), "%s", job_op_name(visit->op));
	if (later_is_wanted(&visit->when))
		snprintf(target, sizeof(target), "%s after %" PRId64 " or at %" PRId64, job_op_name(visit->op),
			 visit->when.delay_ms, visit->when.run_at_ms);
	idempotency_guard_hash("POST", target, message->body, message->body_size, ticket->hash);
	return ticket;
}

/* On a pool's thread. */
static void end_ticket(struct gateway *gateway, struct ticket *ticket, bool published, struct store **store)
{
	const struct idempotency_request request = ticket_request(ticket);
	struct error err;
	int r = routes_open_store(gateway, store, &err);

	/* Whether the store can be told or not, the request is in flight no longer. */
	if (r < 0)
		idempotency_guard_forget(gateway->guard, &request);
	else
		r = published ? idempotency_guard_finish(gateway->guard, *store, &request, &ticket->claim, &err)
			      : idempotency_guard_abandon(gateway->guard, *store, &request, &ticket->claim, &err);
	if (r < 0)
		log_warning(NULL, "the end of a request was not recorded", log_string("task_id", ticket->claim.task_id),
			    LOG_ERROR_FIELDS(&err));
	free(ticket);
}

static void handle_ticket(struct gateway *gateway, struct visit *visit, struct store **store)
{
	end_ticket(gateway, visit->ticket, visit->published, store);
	visit_free(visit);
}

void intake_end_ticket(void *arg, struct ticket *ticket, bool published)
{
	struct gateway *gateway = arg;
	struct visit *visit = calloc(1, sizeof(*visit));

	if (visit) {
		visit->handle = handle_ticket;
		visit->ticket = ticket;
		visit->published = published;
	}
	/* At the end the claim runs out by itself; a repetition then takes it over with the same task id. */
	if (!visit || queue_push_urgent(gateway->reading, visit, 0) != 0) {
		const struct idempotency_request request = ticket_request(ticket);

		idempotency_guard_forget(gateway->guard, &request);
		free(ticket);
		visit_free(visit);
	}
}

/* Claims the request. True: go on, with the task id of the claim. */
static bool claim(struct gateway *gateway, struct visit *visit, struct store **store, struct submission *submission)
{
	struct ticket *ticket = submission->ticket;
	const struct idempotency_request request = ticket_request(ticket);
	struct error err;
	int r = routes_open_store(gateway, store, &err);

	if (r == 0)
		r = idempotency_guard_begin(gateway->guard, *store, &request, submission->task.task_id, clock_unix_ms(),
					    &ticket->claim, &err);
	if (r < 0) {
		refuse(visit, err.code == ERROR_OVERLOADED ? &http_problem_overloaded : &problem_store_unavailable,
		       err.text, 1);
		return false;
	}
	switch (ticket->claim.state) {
	case IDEMPOTENCY_NEW:
		return true;
	case IDEMPOTENCY_IN_FLIGHT:
		refuse(visit, &problem_idempotency_in_flight, "ask again for its result", 1);
		break;
	case IDEMPOTENCY_DONE:
		submission_answer_repeated(visit->call, ticket->claim.task_id);
		visit_free(visit);
		break;
	case IDEMPOTENCY_DIFFERENT:
		refuse(visit, &problem_idempotency_reused, "use a new one for each request", 0);
		break;
	}
	return false;
}

/* ------------------------------------------------------------------------------------------------------ */

static void publish(struct gateway *gateway, struct visit *visit, struct submission *submission,
		    struct amqp_message *message, struct store **store)
{
	struct ticket *ticket = submission->ticket;

	submission->call = visit->call;
	/* The message has its own copy: what waits for the reply need not hold the photographs. */
	http_call_drop_body(visit->call);
	visit_free(visit);
	if (!desk_submit(gateway->desk, submission, message) && ticket)
		end_ticket(gateway, ticket, false, store);
}

/* Whether the store has it or not is not known: a repetition of the request schedules the same task id. */
static void lose_scheduled(struct gateway *gateway, struct submission *submission, const struct error *err)
{
	struct ticket *ticket = submission->ticket;

	if (ticket) {
		const struct idempotency_request request = ticket_request(ticket);
		idempotency_guard_forget(gateway->guard, &request);
		free(ticket);
	}
	submission_refuse(submission, &problem_store_unavailable, true, err->text);
}

static void schedule(struct gateway *gateway, struct visit *visit, struct submission *submission,
		     struct amqp_message *message, int64_t due_ms, struct store **store)
{
	struct recent_task *task = &submission->task;
	struct error err;

	submission->call = visit->call;
	task->deadline_ms += due_ms - task->accepted_at_ms;
	visit_free(visit);
	int r = routes_open_store(gateway, store, &err);
	/* Remembered for the moments between its schedule's end and the tracker's first word of it. */
	if (r == 0)
		recent_add(gateway->recent, task);
	if (r == 0)
		r = later_add(*store, task, due_ms, message->body, message->body_size, &err);
	if (r == 0) {
		submission_answer_scheduled(submission, due_ms);
		if (submission->ticket)
			end_ticket(gateway, submission->ticket, true, store);
	} else {
		recent_remove(gateway->recent, task->task_id);
		lose_scheduled(gateway, submission, &err);
	}
	amqp_message_free(message);
	submission_free(submission);
}

/* When the job is due, 0: at once. False: the visit has been answered. */
static bool read_when(struct visit *visit, int64_t *due_ms)
{
	struct http_problem problem;
	struct error err;

	*due_ms = 0;
	if (!later_is_wanted(&visit->when))
		return true;
	if ((visit->visitor.scopes & (KEY_SCHEDULE | KEY_ADMIN)) == 0) {
		refuse(visit, &problem_forbidden, "it lacks the scope schedule, for jobs that run later", 0);
		return false;
	}
	if (later_due(&visit->when, clock_unix_ms(), due_ms, &err) == 0)
		return true;
	problem_from_error(&problem, &problem_invalid_job, &err);
	routes_refuse(visit, &problem);
	return false;
}

/* False: the visit has been answered. */
static bool take_ticket(struct gateway *gateway, struct visit *visit, struct store **store,
			struct submission *submission, struct amqp_message *message)
{
	submission->ticket = new_ticket(visit, message);
	if (!submission->ticket) {
		refuse(visit, &problem_invalid_header, "Idempotency-Key: 1 to 255 printable characters were expected",
		       0);
		return false;
	}
	if (!claim(gateway, visit, store, submission))
		return false;
	submission_set_id(submission, message, submission->ticket->claim.task_id);
	return true;
}

static void submit(struct gateway *gateway, struct visit *visit, const struct job *job, struct store **store)
{
	const struct submitter submitter = {
	    .owner = visit->visitor.owner,
	    .traceparent = visit->traceparent,
	    .tracestate = visit->tracestate,
	    .prefer = visit->prefer,
	};
	struct submission *submission;
	struct amqp_message *message;
	struct error err;
	int64_t due_ms;

	if (!read_when(visit, &due_ms))
		return;
	if (submission_new(&submission, &message, job, &submitter, &err) < 0) {
		refuse_encoding(visit, &err);
		return;
	}
	if (visit->has_idempotency_key && !take_ticket(gateway, visit, store, submission, message)) {
		amqp_message_free(message);
		free(submission->ticket);
		submission_free(submission);
		return;
	}
	if (due_ms > 0)
		schedule(gateway, visit, submission, message, due_ms, store);
	else
		publish(gateway, visit, submission, message, store);
}

void intake_handle(struct gateway *gateway, struct visit *visit, struct store **store)
{
	const struct job_frame frame = {.op = visit->op, .user_id = visit->has_user ? visit->user_id : NULL};
	const struct buffer *body = http_call_body(visit->call);
	const char *content_type = visit->has_content_type ? visit->content_type : NULL;
	struct http_problem problem;
	struct job_body read;

	if (job_body_read(&read, &frame, content_type, body->data, body->size, &problem) < 0) {
		routes_refuse(visit, &problem);
	} else {
		visit->when = read.when;
		submit(gateway, visit, &read.job, store);
	}
	job_body_finish(&read);
}
