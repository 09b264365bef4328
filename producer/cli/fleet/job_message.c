#include "cli/fleet/job_message.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>

#include "amqp/topology.h"
#include "base/clock.h"
#include "job/scene.h"

/* What clocks, queues on the way back and a broker that restarts may add to a scene's own time. */
#define GRACE_MS 30000

/* Scenes do not change while a command runs, and the job was checked. */
static struct scene scene_of(const char *name)
{
	struct scene scene;
	bool found = scene_find(name, &scene);

	assert(found);
	return scene;
}

static void fill_envelope(struct envelope *envelope)
{
	struct trace trace;

	uuid_v7(envelope->message_id);
	snprintf(envelope->type, sizeof(envelope->type), "%s", ENVELOPE_TYPE_JOB);
	snprintf(envelope->content_type, sizeof(envelope->content_type), "%s", encoding_content_type(ENCODING_MSGPACK));
	envelope->attempt = 1;
	trace_begin(&trace);
	trace_format(&trace, envelope->traceparent);
}

int job_message_new(struct amqp_message **out, const struct job *job, struct error *err)
{
	struct buffer body = {0};
	int r = job_encode(job, ENCODING_MSGPACK, &body, err);
	struct amqp_message *message = NULL;

	if (r == 0) {
		const char *lane = lane_name(scene_of(job->scene).lane);
		message = amqp_message_new(TOPOLOGY_JOBS_EXCHANGE, lane, &body);
		if (!message)
			r = error_set(err, ERROR_INTERNAL, "out of memory");
	}
	buffer_finish(&body);
	if (r < 0)
		return r;
	message->mandatory = true;
	fill_envelope(&message->envelope);
	*out = message;
	return 0;
}

void job_message_accept(struct amqp_message *message, const char *scene, const char *reply_to)
{
	struct envelope *envelope = &message->envelope;

	envelope->accepted_ms = clock_unix_ms();
	envelope->deadline_ms = envelope->accepted_ms + scene_of(scene).end_to_end_ms;
	snprintf(envelope->reply_to, sizeof(envelope->reply_to), "%s", reply_to);
	snprintf(envelope->correlation_id, sizeof(envelope->correlation_id), "%s",
		 reply_to[0] ? envelope->message_id : "");
}

int64_t job_message_patience_ms(const char *scene)
{
	return scene_of(scene).end_to_end_ms + GRACE_MS;
}
