#include "replay.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "amqp/settings.h"
#include "amqp/topology.h"
#include "base/clock.h"
#include "replay_message.h"

#define CONFIRM_MS 10000

struct replay {
	struct amqp_link *link;
	bool lost;          /* something was sent whose outcome never came */
	atomic_int outcome; /* of what was sent last */
};

static int open_link(struct replay *replay, const struct config *config, struct error *err)
{
	const struct amqp_link_settings settings = {.name = "facefleet replay", .topology = TOPOLOGY_JOBS};
	int r = amqp_link_new_from_config(&replay->link, &settings, config, err);

	return r < 0 ? r : amqp_link_start(replay->link, err);
}

int replay_open(struct replay **out, const struct config *config, int64_t timeout_ms, struct error *err)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	int r = open_link(replay, config, err);
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

enum amqp_outcome replay_publish(struct replay *replay, struct amqp_message *message)
{
	if (replay->lost) {
		amqp_message_free(message);
		return AMQP_ABANDONED;
	}
	int r = amqp_link_publish(replay->link, message, on_outcome, replay);
	if (r == 0)
		r = amqp_link_wait_confirms(replay->link, CONFIRM_MS);
	replay->lost = r < 0;
	return r < 0 ? AMQP_ABANDONED : (enum amqp_outcome)atomic_load(&replay->outcome);
}

int replay_send(struct replay *replay, const struct amqp_delivery *parked, bool same_id, char id[ENVELOPE_SHORT_SIZE],
		struct error *err)
{
	struct amqp_message *message;

	if (replay->lost)
		return error_set(err, ERROR_CONNECTION, "the broker does not answer");
	int r = replay_message_new(&message, parked, same_id, clock_unix_ms(), err);

	if (r < 0)
		return r;
	snprintf(id, ENVELOPE_SHORT_SIZE, "%s", message->envelope.message_id);
	switch (replay_publish(replay, message)) {
	case AMQP_CONFIRMED:
		return 0;
	case AMQP_RETURNED:
		return error_set(err, ERROR_CONNECTION, "the broker has no queue for it");
	case AMQP_NACKED:
		return error_set(err, ERROR_CONNECTION, "its queue is full");
	default:
		return error_set(err, ERROR_CONNECTION,
				 "the broker does not say whether it took it: it may be sent, as %s", id);
	}
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	amqp_link_free(replay->link);
	free(replay);
}
