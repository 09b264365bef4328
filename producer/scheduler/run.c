#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/topology.h"
#include "job/scene.h"
#include "plan.h"

#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 15000

struct run *run_new(const struct schedule_run *row, struct mailbox *box)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->row = *row;
	run->box = box;
	run->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS};
	return run;
}

int run_read_plan(struct run *run, const struct schedule *schedule, int64_t now_ms, struct error *err)
{
	const struct plan plan = {
	    .cron = schedule->cron,
	    .time_zone = schedule->time_zone,
	    .every_ms = schedule->every_ms,
	    .from_ms = schedule->created_at_ms,
	};
	int64_t after_ms = run->row.due_ms > now_ms ? run->row.due_ms : now_ms;
	int r = plan_next(&plan, after_ms, &run->row.next_due_ms, err);

	run->may_skip = schedule->misfire == MISFIRE_SKIP && run->row.next_due_ms > 0;
	return r;
}

static void fill_event(struct run *run, const struct job *job, int64_t now_ms)
{
	struct event *event = &run->event;

	*event = (struct event){.op = job->op, .has_op = true, .state = TASK_PENDING, .attempt = 1, .at_ms = now_ms};
	memcpy(event->task_id, run->row.task_id, UUID_SIZE);
	snprintf(event->user_id, sizeof(event->user_id), "%s", job->user_id);
	snprintf(event->reference, sizeof(event->reference), "%s", job->reference);
	snprintf(event->scene, sizeof(event->scene), "%s", job->scene);
}

static void fill_envelope(const struct run *run, const char *type, enum encoding encoding, struct envelope *envelope)
{
	memcpy(envelope->message_id, run->row.task_id, UUID_SIZE);
	snprintf(envelope->type, sizeof(envelope->type), "%s", type);
	snprintf(envelope->content_type, sizeof(envelope->content_type), "%s", encoding_content_type(encoding));
	memcpy(envelope->owner, run->owner, sizeof(envelope->owner));
	envelope->accepted_ms = run->accepted_ms;
	envelope->deadline_ms = run->deadline_ms;
	envelope->attempt = 1;
}

static struct amqp_message *copy_job(const struct schedule *schedule, const char *lane)
{
	struct buffer body = {0};
	struct amqp_message *message = NULL;

	if (buffer_append(&body, schedule->job, schedule->job_size) == 0)
		message = amqp_message_new(TOPOLOGY_JOBS_EXCHANGE, lane, &body);
	buffer_finish(&body);
	return message;
}

static int make_message(struct run *run, const struct schedule *schedule, const struct job *job, int64_t now_ms,
			struct amqp_message **out, struct error *err)
{
	struct scene scene;
	struct trace trace;

	if (!scene_find(job->scene, &scene))
		return error_set(err, ERROR_INVALID_JOB, "scene: there is no %s", job->scene);
	struct amqp_message *message = copy_job(schedule, lane_name(scene.lane));
	if (!message)
		return error_set(err, ERROR_INTERNAL, "no memory for a job");
	message->mandatory = true;
	run->accepted_ms = now_ms;
	run->deadline_ms = now_ms + scene.end_to_end_ms;
	run->bytes = message->body_size;
	snprintf(run->owner, sizeof(run->owner), "%s", schedule->owner);
	fill_event(run, job, now_ms);
	fill_envelope(run, ENVELOPE_TYPE_JOB, ENCODING_MSGPACK, &message->envelope);
	trace_begin(&trace);
	trace_format(&trace, message->envelope.traceparent);
	*out = message;
	return 0;
}

int run_make_job(struct run *run, const struct schedule *schedule, int64_t now_ms, struct amqp_message **out,
		 struct error *err)
{
	struct job job;
	int r = job_decode(&job, ENCODING_MSGPACK, schedule->job, schedule->job_size, err);

	if (r == 0)
		r = make_message(run, schedule, &job, now_ms, out, err);
	job_finish(&job);
	return r;
}

struct amqp_message *run_make_event(const struct run *run)
{
	struct amqp_message *message = NULL;
	char key[ENVELOPE_SHORT_SIZE];
	struct buffer body = {0};

	event_routing_key(&run->event, key);
	if (event_encode(&run->event, &body) == 0)
		message = amqp_message_new(TOPOLOGY_EVENTS_EXCHANGE, key, &body);
	buffer_finish(&body);
	if (message)
		fill_envelope(run, ENVELOPE_TYPE_EVENT, ENCODING_JSON, &message->envelope);
	return message;
}

/* On the link's thread. */
static void note_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	struct run *run = arg;

	(void)message;
	run->outcome = outcome;
	mailbox_post(run->box, &run->mail);
}

int run_publish(struct run *run, struct amqp_link *link, struct amqp_message *message)
{
	return amqp_link_publish(link, message, note_outcome, run);
}
