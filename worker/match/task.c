#include "task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Deliveries before this one, none of which was settled. */
#define SUSPECT_FROM 2

struct task *task_new(struct amqp_delivery *delivery, struct amqp_link *source, enum lane lane)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->delivery = delivery;
	task->source = source;
	task->lane = lane;
	task->attempt = 1;
	return task;
}

bool task_is_oversized(const struct task *task)
{
	return task->delivery->too_large || task->delivery->body_size > JOB_MAX_ENCODED_BYTES;
}

bool task_is_suspect(const struct task *task)
{
	const struct envelope *envelope = &task->delivery->envelope;

	return envelope->suspect || envelope->delivery_count >= SUSPECT_FROM;
}

static int check_envelope(struct task *task, struct error *err)
{
	const struct envelope *envelope = &task->delivery->envelope;

	if (envelope->message_id[0] == '\0')
		return error_set(err, ERROR_INVALID_JOB, "message_id: missing; it is the task id");
	if (!uuid_is_valid(envelope->message_id))
		return error_set(err, ERROR_INVALID_JOB, "message_id: \"%.64s\" is not a UUID in lower case",
				 envelope->message_id);
	if (strcmp(envelope->type, ENVELOPE_TYPE_JOB) != 0)
		return error_set(err, ERROR_INVALID_JOB, "type: \"%.64s\" is not " ENVELOPE_TYPE_JOB, envelope->type);
	if (encoding_from_content_type(envelope->content_type, &task->encoding) < 0)
		return error_set(err, ERROR_INVALID_JOB,
				 "content_type: \"%.64s\" is neither application/json nor application/msgpack",
				 envelope->content_type);
	if (task_is_oversized(task))
		return error_set(err, ERROR_INVALID_JOB,
				 "body: larger than %u bytes, which is as much as a message may weigh",
				 JOB_MAX_ENCODED_BYTES);
	if (envelope->attempt < 0)
		return error_set(err, ERROR_INVALID_JOB, "facefleet-attempt: %d is below 1", envelope->attempt);
	return 0;
}

/*
 * Deadlines travel as unix time and are kept as monotonic time, so that a clock that is set while
 * the job runs changes nothing.
 */
static void set_deadlines(struct task *task)
{
	const struct amqp_delivery *d = task->delivery;
	int64_t accepted = d->envelope.accepted_ms > 0 ? d->envelope.accepted_ms : d->received_unix_ms;
	int64_t deadline = d->envelope.deadline_ms;

	if (deadline <= 0 && task->scene.end_to_end_ms > 0 &&
	    __builtin_add_overflow(accepted, task->scene.end_to_end_ms, &deadline))
		deadline = INT64_MAX;
	task->reply.accepted_at_ms = accepted;
	task->end_to_end_unix_ms = deadline;
	if (deadline > 0) {
		int64_t at = d->received_ns / 1000000 + (deadline - d->received_unix_ms);
		task->ctx.deadline_ms = at > 0 ? at : 1;
	}
}

static int read_job(struct task *task, struct error *err)
{
	const struct amqp_delivery *d = task->delivery;
	int r = check_envelope(task, err);

	if (r < 0)
		return r;
	task->decoded = true;
	r = job_decode(&task->job, task->encoding, d->body, d->body_size, err);
	if (r < 0)
		return r;
	if (!scene_find(task->job.scene, &task->scene))
		return error_set(err, ERROR_INVALID_JOB, "scene: \"%s\" is not a scene of this fleet", task->job.scene);
	return 0;
}

/* What is known of the task, read or not. */
static void introduce(struct task *task, const char *worker)
{
	const struct envelope *envelope = &task->delivery->envelope;
	char made_up[UUID_SIZE];
	const char *id = envelope->message_id;

	/* A message without a usable id still gets an answer, under an id of its own; whoever sent it
	 * knows it by the correlation id. */
	if (!uuid_is_valid(id)) {
		uuid_v7(made_up);
		id = made_up;
	}
	memcpy(task->ctx.task_id, id, UUID_SIZE);
	trace_continue(&task->ctx.trace, envelope->traceparent[0] ? envelope->traceparent : NULL);
	memcpy(task->ctx.tracestate, envelope->tracestate, sizeof(task->ctx.tracestate));
	if (envelope->attempt > 0)
		task->attempt = envelope->attempt;
	reply_init(&task->reply, id, task->decoded ? &task->job : NULL);
	task->reply.attempt = task->attempt;
	strncpy(task->reply.worker, worker, sizeof(task->reply.worker) - 1);
	if (task->scene.name[0] == '\0') /* no scene can take the place of a built-in one */
		scene_find(lane_name(task->lane), &task->scene);
	task->ctx.scene = task->scene.name;
	task->ctx.op = task->reply.has_op ? job_op_name(task->reply.op) : NULL;
	set_deadlines(task);
}

int task_decode(struct task *task, const char *worker, struct error *err)
{
	int r = read_job(task, err);

	introduce(task, worker);
	return r;
}

void task_skip(struct task *task, const char *worker)
{
	(void)!encoding_from_content_type(task->delivery->envelope.content_type, &task->encoding);
	introduce(task, worker);
}

bool task_needs_fetch(const struct task *task)
{
	return task->job.image_a.url || task->job.image_b.url;
}

void task_begin_attempt(struct task *task)
{
	if (task->scene.attempt_ms > 0)
		task->ctx.attempt_deadline_ms = clock_monotonic_ms() + task->scene.attempt_ms;
}

static double held_ms(const struct task *task)
{
	return clock_elapsed_ms(task->delivery->received_ns, clock_monotonic_ns());
}

double task_age_ms(const struct task *task)
{
	double before = (double)(task->delivery->received_unix_ms - task->reply.accepted_at_ms);

	/* Clocks of different hosts agree within tens of milliseconds only. */
	return held_ms(task) + (before > 0 ? before : 0);
}

double task_waited_ms(const struct task *task)
{
	return task->attempt > 1 ? held_ms(task) : task_age_ms(task);
}

void task_free(struct task *task)
{
	if (!task)
		return;
	for (unsigned i = 0; i < TASK_PARTS; i++)
		amqp_message_free(task->parts[i].again);
	if (task->decoded)
		job_finish(&task->job);
	reply_finish(&task->reply);
	free(task->fetch_a.data);
	free(task->fetch_b.data);
	amqp_delivery_free(task->delivery);
	free(task);
}
