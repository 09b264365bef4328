#include "submission.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "amqp/topology.h"
#include "base/clock.h"
#include "base/trace.h"
#include "job/event.h"
#include "job/scene.h"
#include "job/writer.h"
#include "obs/log.h"

/* How soon it makes sense to try again when the broker is away or a queue is full. */
#define RETRY_AFTER_S 1

/* --- making ------------------------------------------------------------------------------------ */

static void fill_envelope(struct envelope *envelope, const struct scene *scene, const struct submitter *submitter)
{
	struct trace trace;

	uuid_v7(envelope->message_id);
	envelope->attempt = 1;
	envelope->accepted_ms = clock_unix_ms();
	envelope->deadline_ms = envelope->accepted_ms + scene->end_to_end_ms;
	/* A state belongs to the trace that it came with. */
	if (trace_continue(&trace, submitter->traceparent[0] != '\0' ? submitter->traceparent : NULL) == 0)
		snprintf(envelope->tracestate, sizeof(envelope->tracestate), "%s", submitter->tracestate);
	trace_format(&trace, envelope->traceparent);
	snprintf(envelope->owner, sizeof(envelope->owner), "%s", submitter->owner);
}

static void fill_task(struct recent_task *task, const struct job *job, const struct envelope *envelope)
{
	snprintf(task->task_id, sizeof(task->task_id), "%.36s", envelope->message_id);
	snprintf(task->owner, sizeof(task->owner), "%s", envelope->owner);
	snprintf(task->scene, sizeof(task->scene), "%s", job->scene);
	snprintf(task->user_id, sizeof(task->user_id), "%s", job->user_id);
	snprintf(task->collection, sizeof(task->collection), "%s", job->collection);
	snprintf(task->reference, sizeof(task->reference), "%s", job->reference);
	task->op = job->op;
	task->accepted_at_ms = envelope->accepted_ms;
	task->deadline_ms = envelope->deadline_ms;
	task->updated_at_ms = envelope->accepted_ms;
	task->state = TASK_PENDING;
	task->attempt = 1;
}

static struct amqp_message *new_job_message(const struct envelope *event, const struct scene *scene,
					    struct buffer *body)
{
	struct amqp_message *message = amqp_message_new(TOPOLOGY_JOBS_EXCHANGE, lane_name(scene->lane), body);

	if (!message)
		return NULL;
	message->mandatory = true;
	message->envelope = *event;
	snprintf(message->envelope.type, sizeof(message->envelope.type), "%s", ENVELOPE_TYPE_JOB);
	snprintf(message->envelope.content_type, sizeof(message->envelope.content_type), "%s",
		 encoding_content_type(ENCODING_MSGPACK));
	return message;
}

int submission_new(struct submission **out, struct amqp_message **message, const struct job *job,
		   const struct submitter *submitter, struct error *err)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct scene scene;
	int r = job_encode(job, ENCODING_MSGPACK, &body, err);

	if (r < 0)
		return r;
	if (!scene_find(job->scene, &scene)) /* it was known a moment ago, when the job was encoded */
		return error_set(err, ERROR_INVALID_JOB, "scene: \"%s\" is not known any more", job->scene);
	struct submission *submission = calloc(1, sizeof(*submission));
	if (!submission)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	fill_envelope(&submission->event, &scene, submitter);
	fill_task(&submission->task, job, &submission->event);
	submission->prefer = submitter->prefer;
	*message = new_job_message(&submission->event, &scene, &body);
	if (!*message) {
		free(submission);
		return error_set(err, ERROR_INTERNAL, "out of memory");
	}
	*out = submission;
	return 0;
}

int submission_of(struct submission **out, const struct amqp_message *message, struct error *err)
{
	const struct envelope *envelope = &message->envelope;
	struct submission *submission = calloc(1, sizeof(*submission));
	enum encoding encoding;
	struct job job;

	if (!submission)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	job_init(&job, JOB_MATCH);
	int r = encoding_from_content_type(envelope->content_type, &encoding);
	r = r < 0 ? error_set(err, ERROR_INVALID_JOB, "its content type is not known")
		  : job_decode(&job, encoding, message->body, message->body_size, err);
	if (r == 0) {
		submission->event = *envelope;
		submission->event.reply_to[0] = '\0';
		fill_task(&submission->task, &job, envelope);
		*out = submission;
	} else {
		submission_free(submission);
	}
	job_finish(&job);
	return r;
}

void submission_set_id(struct submission *submission, struct amqp_message *message, const char *task_id)
{
	snprintf(submission->task.task_id, sizeof(submission->task.task_id), "%s", task_id);
	snprintf(submission->event.message_id, sizeof(submission->event.message_id), "%s", task_id);
	snprintf(message->envelope.message_id, sizeof(message->envelope.message_id), "%s", task_id);
}

void submission_free(struct submission *submission)
{
	free(submission);
}

static struct amqp_message *new_event(const struct submission *submission)
{
	const struct recent_task *task = &submission->task;
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct event event = {
	    .op = task->op,
	    .has_op = true,
	    .state = TASK_PENDING,
	    .attempt = 1,
	    .at_ms = task->accepted_at_ms,
	};
	char key[ENVELOPE_SHORT_SIZE];

	snprintf(event.task_id, sizeof(event.task_id), "%s", task->task_id);
	snprintf(event.user_id, sizeof(event.user_id), "%s", task->user_id);
	snprintf(event.reference, sizeof(event.reference), "%s", task->reference);
	snprintf(event.scene, sizeof(event.scene), "%s", task->scene);
	event_routing_key(&event, key);
	if (event_encode(&event, &body) != 0)
		return NULL;
	struct amqp_message *message = amqp_message_new(TOPOLOGY_EVENTS_EXCHANGE, key, &body);
	if (!message)
		return NULL;
	message->envelope = submission->event;
	snprintf(message->envelope.type, sizeof(message->envelope.type), "%s", ENVELOPE_TYPE_EVENT);
	snprintf(message->envelope.content_type, sizeof(message->envelope.content_type), "%s",
		 encoding_content_type(ENCODING_JSON));
	return message;
}

void submission_announce(const struct submission *submission, struct amqp_link *link)
{
	struct amqp_message *event = new_event(submission);

	if (!event || amqp_link_publish(link, event, NULL, NULL) != 0)
		log_warning(NULL, "event dropped", log_string("task_id", submission->task.task_id));
}

/* --- answers -------------------------------------------------------------------------------------- */

static struct http_call *take_call(struct submission *submission)
{
	struct http_call *call = submission->call;

	submission->call = NULL;
	return call;
}

static void answer(struct submission *submission, unsigned status, struct buffer *body)
{
	struct http_header headers[3] = {0};
	char location[64];
	char applied[40];

	snprintf(location, sizeof(location), "/v1/tasks/%s", submission->task.task_id);
	headers[0] = (struct http_header){"Location", location};
	if (submission->wait_until_ms != 0) {
		snprintf(applied, sizeof(applied), "wait=%" PRId64, submission->prefer.wait_ms / 1000);
		headers[1] = (struct http_header){"Preference-Applied", applied};
	} else if (submission->prefer.respond_async) {
		headers[1] = (struct http_header){"Preference-Applied", "respond-async"};
	}
	http_call_answer(take_call(submission), status, "application/json", body, headers);
}

void submission_answer_accepted(struct submission *submission)
{
	const struct recent_task *task = &submission->task;
	struct buffer body = {0};
	struct writer w;

	writer_init(&w, ENCODING_JSON, &body);
	writer_open_map(&w, NULL);
	writer_string(&w, "task_id", task->task_id);
	writer_string(&w, "state", task_state_name(TASK_PENDING));
	writer_time_or_null(&w, "accepted_at", task->accepted_at_ms);
	writer_time_or_null(&w, "deadline", task->deadline_ms);
	writer_close(&w);
	if (writer_finish(&w) != 0)
		buffer_clear(&body); /* Location says it all */
	answer(submission, 202, &body);
	buffer_finish(&body);
}

void submission_answer_scheduled(struct submission *submission, int64_t due_ms)
{
	struct buffer body = {0};
	struct writer w;

	writer_init(&w, ENCODING_JSON, &body);
	writer_open_map(&w, NULL);
	writer_string(&w, "task_id", submission->task.task_id);
	writer_string(&w, "state", "scheduled");
	writer_time_or_null(&w, "run_at", due_ms);
	writer_close(&w);
	if (writer_finish(&w) != 0)
		buffer_clear(&body); /* Location says it all */
	answer(submission, 202, &body);
	buffer_finish(&body);
}

void submission_answer_repeated(struct http_call *call, const char *task_id)
{
	struct http_header headers[] = {{"Location", NULL}, {"Idempotent-Replayed", "true"}, {NULL, NULL}};
	struct buffer body = {0};
	char location[64];

	snprintf(location, sizeof(location), "/v1/tasks/%s", task_id);
	headers[0].value = location;
	if (buffer_printf(&body, "{\"task_id\":\"%s\"}", task_id) != 0)
		buffer_clear(&body);
	http_call_answer(call, 202, "application/json", &body, headers);
	buffer_finish(&body);
}

void submission_answer_reply(struct submission *submission, const char *json, size_t size)
{
	struct buffer body = {0};

	if (buffer_append(&body, json, size) != 0) {
		submission_answer_accepted(submission);
		return;
	}
	answer(submission, 200, &body);
	buffer_finish(&body);
}

void submission_refuse(struct submission *submission, const struct http_problem_kind *kind, bool may_exist,
		       const char *detail)
{
	struct http_problem problem;

	http_problem_init(&problem, kind, "%s", detail);
	problem.retry_after_s = RETRY_AFTER_S;
	if (may_exist)
		snprintf(problem.task_id, sizeof(problem.task_id), "%s", submission->task.task_id);
	http_call_refuse(take_call(submission), &problem);
}
