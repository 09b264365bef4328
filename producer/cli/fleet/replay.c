#include "cli/fleet/replay.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/settings.h"
#include "amqp/topology.h"
#include "base/clock.h"
#include "cli/output/escape.h"
#include "cli/output/id_set.h"
#include "job/job.h"
#include "job/scene.h"

#define CONFIRM_MS 10000

struct replay {
	struct amqp_link *link;
	struct id_set *sent;
	bool same_id;
	bool lost;          /* something was sent whose outcome never came */
	atomic_int outcome; /* of what was sent last; -1: none yet */
};

/* --- the message --- */

static int read_job(const struct amqp_delivery *parked, const struct scene **scene, struct error *err)
{
	enum encoding encoding;
	struct job job;

	if (encoding_from_content_type(parked->envelope.content_type, &encoding) < 0)
		return error_set(err, ERROR_INVALID_JOB, "its content type is \"%s\"", parked->envelope.content_type);
	int r = job_decode(&job, encoding, parked->body, parked->body_size, err);
	if (r == 0) {
		*scene = scene_find(job.scene);
		if (!*scene)
			r = error_set(err, ERROR_INVALID_JOB, "no scene \"%s\" is known here", job.scene);
	}
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
	const struct scene *scene = NULL;
	int r = read_job(parked, &scene, err);

	if (r < 0)
		return r;
	*out = copy_to(parked, TOPOLOGY_JOBS_EXCHANGE, lane_name(scene->lane));
	if (!*out)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	struct envelope *envelope = &(*out)->envelope;
	char id[UUID_SIZE];
	uuid_v7(id);
	if (!same_id)
		snprintf(envelope->message_id, sizeof(envelope->message_id), "%s", id);
	envelope->attempt = 1;
	envelope->accepted_ms = now_ms;
	envelope->deadline_ms = now_ms + scene->end_to_end_ms;
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

/* --- sending it --- */

static int open_link(struct replay *replay, const struct config *config, struct error *err)
{
	struct amqp_link_settings settings = {.name = "facefleet replay", .topology = TOPOLOGY_JOBS};
	struct amqp_url *url = calloc(1, sizeof(*url));

	if (!url)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	int r = amqp_settings_from_config(url, &settings, config, err);
	if (r == 0)
		r = amqp_link_new(&replay->link, &settings, err);
	free(url);
	return r < 0 ? r : amqp_link_start(replay->link, err);
}

int replay_open(struct replay **out, const struct config *config, bool same_id, int64_t timeout_ms, struct error *err)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	replay->same_id = same_id;
	replay->sent = id_set_new();
	int r = replay->sent ? open_link(replay, config, err) : error_set(err, ERROR_INTERNAL, "out of memory");
	if (r == 0)
		r = amqp_link_wait_ready(replay->link, timeout_ms, err);
	if (r < 0) {
		replay_free(replay);
		return r;
	}
	*out = replay;
	return 0;
}

static void on_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	struct replay *replay = arg;

	(void)message;
	atomic_store(&replay->outcome, (int)outcome);
}

int replay_send(struct replay *replay, const struct amqp_delivery *parked, char id[ENVELOPE_SHORT_SIZE],
		struct error *err)
{
	struct amqp_message *message;
	if (replay->lost)
		return error_set(err, ERROR_CONNECTION, "the broker does not answer");
	int r = replay_message_new(&message, parked, replay->same_id, clock_unix_ms(), err);
	if (r < 0)
		return r;
	snprintf(id, ENVELOPE_SHORT_SIZE, "%s", message->envelope.message_id);
	if (id_set_add(replay->sent, id) < 0) {
		amqp_message_free(message);
		return error_set(err, ERROR_INTERNAL, "out of memory");
	}
	atomic_store(&replay->outcome, -1);
	r = amqp_link_publish(replay->link, message, on_outcome, replay);
	if (r == 0)
		r = amqp_link_wait_confirms(replay->link, CONFIRM_MS);
	replay->lost = r < 0;
	if (replay->lost)
		return error_set(err, ERROR_CONNECTION, "the broker did not take it: %s", strerror(-r));
	switch (atomic_load(&replay->outcome)) {
	case AMQP_CONFIRMED:
		return 0;
	case AMQP_RETURNED:
		return error_set(err, ERROR_CONNECTION, "the broker has no queue for it");
	default:
		return error_set(err, ERROR_CONNECTION, "its queue is full");
	}
}

void replay_print(const char *old_id, const char *id)
{
	char from[ESCAPE_SIZE];
	char to[ESCAPE_SIZE];

	if (strcmp(old_id, id) == 0)
		printf("%s replayed\n", escape_text(id, to, sizeof(to)));
	else
		printf("%s replayed as %s\n", escape_text(old_id[0] ? old_id : "-", from, sizeof(from)),
		       escape_text(id, to, sizeof(to)));
}

bool replay_has_sent(const struct replay *replay, const char *id)
{
	return id_set_has(replay->sent, id);
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	amqp_link_free(replay->link);
	id_set_free(replay->sent);
	free(replay);
}
