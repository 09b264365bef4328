/* Requests that become jobs, on the threads of the intake pool. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "base/clock.h"
#include "gateway_private.h"
#include "job_body.h"
#include "later.h"
#include "problems.h"
#include "store_access.h"

static void publish(struct gateway *gateway, struct visit *visit, struct submission *submission,
		    struct amqp_message *message, struct store **store)
{
	struct ticket *ticket = submission->ticket;

	submission->call = visit->call;
	/* The message has its own copy: what waits for the reply need not hold the photographs. */
	http_call_drop_body(visit->call);
	visit_free(visit);
	if (!desk_submit(gateway->desk, submission, message) && ticket)
		ticket_end(gateway, ticket, false, store);
}

/* Whether the store has it or not is not known: a repetition of the request schedules the same task id. */
static void lose_scheduled(struct gateway *gateway, struct submission *submission, const struct error *err)
{
	if (submission->ticket)
		ticket_forget(gateway, submission->ticket);
	store_access_log(gateway, err);
	submission_refuse(submission, &problem_store_unavailable, true, "");
}

static void refuse_schedule(struct gateway *gateway, struct submission *submission, struct store **store)
{
	if (submission->ticket)
		ticket_end(gateway, submission->ticket, false, store);
	submission_refuse(submission, &problem_too_many_schedules, false, "");
}

static void schedule(struct gateway *gateway, struct visit *visit, struct submission *submission,
		     struct amqp_message *message, int64_t due_ms, struct store **store)
{
	struct recent_task *task = &submission->task;
	bool allowed = false;
	struct error err;

	submission->call = visit->call;
	task->deadline_ms += due_ms - task->accepted_at_ms;
	visit_free(visit);
	int r = store_access_open(gateway, store, &err);
	if (r == 0)
		r = admission_check_schedules(gateway, task->owner, *store, &allowed, &err);
	/* Remembered for the moments between its schedule's end and the tracker's first word of it. */
	if (r == 0 && allowed)
		recent_add(gateway->recent, task);
	if (r == 0 && allowed)
		r = later_add(*store, task, due_ms, message->body, message->body_size, &err);
	if (r == 0 && !allowed) {
		refuse_schedule(gateway, submission, store);
	} else if (r == 0) {
		/* First, or who repeats the request at once is told that it is still under way. */
		if (submission->ticket)
			ticket_end(gateway, submission->ticket, true, store);
		submission_answer_scheduled(submission, due_ms);
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
	if (!visitor_may(&visit->visitor, KEY_SCHEDULE)) {
		visit_refuse_as(visit, &problem_forbidden, "it lacks the scope schedule, for jobs that run later", 0);
		return false;
	}
	if (later_due(&visit->when, clock_unix_ms(), due_ms, &err) == 0)
		return true;
	problem_from_error(&problem, &problem_invalid_job, &err);
	visit_refuse(visit, &problem);
	return false;
}

static void answer_again(struct gateway *gateway, struct visit *visit, struct store **store, const char *task_id)
{
	(void)gateway;
	(void)store;
	submission_answer_repeated(visit->call, task_id);
	visit_free(visit);
}

/* What the job is made of is compared, not the body: the boundary of a form is new each time. False: the visit has been
 * answered. */
static bool take_ticket(struct gateway *gateway, struct visit *visit, struct store **store,
			struct submission *submission, struct amqp_message *message)
{
	const struct job_when *when = &visit->when;
	char target[96];
	const struct ticket_subject subject = {
	    .target = target,
	    .body = message->body,
	    .body_size = message->body_size,
	    .id = submission->task.task_id,
	    .answer_again = answer_again,
	};

	snprintf(target, sizeof(target), "%s", job_op_name(visit->op));
	if (later_is_wanted(when))
		snprintf(target, sizeof(target), "%s after %" PRId64 " or at %" PRId64, job_op_name(visit->op),
			 when->delay_ms, when->run_at_ms);
	submission->ticket = ticket_claim(gateway, visit, store, &subject);
	if (submission->ticket)
		submission_set_id(submission, message, submission->ticket->claim.task_id);
	return submission->ticket != NULL;
}

/* Whether a job is taken at all, before it costs anything. False: the visit has been answered. */
static bool admit(struct gateway *gateway, struct visit *visit, const struct job *job, bool now)
{
	const char *owner = visit->visitor.owner;
	struct http_problem problem;

	if (admission_check_collection(&visit->visitor, job->op, job->collection, "collection", &problem) &&
	    (!now || overload_admit(gateway->overload, job->scene, owner[0] ? owner : visit->address, &problem)))
		return true;
	visit_refuse(visit, &problem);
	return false;
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
	struct http_problem problem;
	struct error err;
	int64_t due_ms;

	if (!read_when(visit, &due_ms) || !admit(gateway, visit, job, due_ms == 0))
		return;
	if (submission_new(&submission, &message, job, &submitter, &err) < 0) {
		problem_from_encoding(&problem, &err);
		visit_refuse(visit, &problem);
		return;
	}
	if (visit->has_idempotency_key && !take_ticket(gateway, visit, store, submission, message)) {
		amqp_message_free(message);
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
		visit_refuse(visit, &problem);
	} else {
		visit->when = read.when;
		submit(gateway, visit, &read.job, store);
	}
	job_body_finish(&read);
}
