#include "replay_message.h"

#include <stdio.h>
#include <string.h>

#include "amqp/topology.h"
#include "base/uuid.h"
#include "job/job.h"
#include "job/scene.h"

static int read_job(const struct amqp_delivery *parked, struct scene *scene, struct error *err)
{
	enum encoding encoding;
	struct job job;

	if (encoding_from_content_type(parked->envelope.content_type, &encoding) < 0)
		return error_set(err, ERROR_INVALID_JOB, "its content type is \"%s\"", parked->envelope.content_type);
	int r = job_decode(&job, encoding, parked->body, parked->body_size, err);
	if (r == 0 && !scene_find(job.scene, scene))
		r = error_set(err, ERROR_INVALID_JOB, "no scene \"%s\" is known here", job.scene);
	job_finish(&job);
	return r;
}

static struct amqp_message *copy_to(const struct amqp_delivery *parked, const char *exchange, const char *routing_key)
{
	struct amqp_message *message = NULL;
	struct buffer body = {0};

	if (buffer_append(&body, parked->body, parked->body_size) == 0)
		message = amqp_message_new(exchange, routing_key, &body);
	buffer_finish(&body);
	if (!message)
		return NULL;
	message->mandatory = true;
	message->envelope = parked->envelope;
	message->envelope.reason[0] = '\0';
	message->envelope.origin[0] = '\0';
	return message;
}

/* A callback counts the attempts that were made. */
static int callback_new(struct amqp_message **out, const struct amqp_delivery *parked, struct error *err)
{
	if (!parked->envelope.callback_url[0])
		return error_set(err, ERROR_INVALID_JOB, "it is a reply without a callback");
	*out = copy_to(parked, "", TOPOLOGY_CALLBACKS_QUEUE);
	if (!*out)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	(*out)->envelope.attempt = 0;
	return 0;
}

/* What the tracker could not read, perhaps an older one. */
static int record_new(struct amqp_message **out, const struct amqp_delivery *parked, struct error *err)
{
	*out = copy_to(parked, "", TOPOLOGY_TRACKER_QUEUE);
	return *out ? 0 : error_set(err, ERROR_INTERNAL, "out of memory");
}

static int job_new(struct amqp_message **out, const struct amqp_delivery *parked, bool same_id, int64_t now_ms,
		   struct error *err)
{
	struct scene scene;
	int r = read_job(parked, &scene, err);

	if (r < 0)
		return r;
	*out = copy_to(parked, TOPOLOGY_JOBS_EXCHANGE, lane_name(scene.lane));
	if (!*out)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	struct envelope *envelope = &(*out)->envelope;
	char id[UUID_SIZE];
	uuid_v7(id);
	if (!same_id)
		snprintf(envelope->message_id, sizeof(envelope->message_id), "%s", id);
	envelope->attempt = 1;
	envelope->accepted_ms = now_ms;
	envelope->deadline_ms = now_ms + scene.end_to_end_ms;
	return 0;
}

int replay_message_new(struct amqp_message **out, const struct amqp_delivery *parked, bool same_id, int64_t now_ms,
		       struct error *err)
{
	const struct envelope *envelope = &parked->envelope;

	if (parked->too_large || parked->body_size == 0)
		return error_set(err, ERROR_INVALID_JOB, "it was parked without its body");
	if (strcmp(envelope->type, ENVELOPE_TYPE_JOB) == 0)
		return job_new(out, parked, same_id, now_ms, err);
	if (strcmp(envelope->origin, TOPOLOGY_TRACKER_QUEUE) == 0)
		return record_new(out, parked, err);
	if (strcmp(envelope->type, ENVELOPE_TYPE_REPLY) == 0)
		return callback_new(out, parked, err);
	return error_set(err, ERROR_INVALID_JOB, "it is neither a job nor a callback");
}
