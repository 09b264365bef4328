#ifndef JOB_EVENT_H
#define JOB_EVENT_H

#include <stdint.h>

#include "job/reply.h"

/** A state change that is not the last one. Always JSON. */
struct event {
	char task_id[UUID_SIZE];
	enum job_op op;
	bool has_op;
	char user_id[JOB_MAX_USER_BYTES + 1];
	char reference[JOB_MAX_REFERENCE_BYTES + 1];
	char scene[JOB_MAX_SCENE_BYTES + 1];
	enum task_state state; /**< TASK_PENDING, RUNNING, FAILED or RETRYING */
	int attempt;
	int64_t at_ms; /**< unix ms */
	char worker[128];
	struct error error;         /**< set for TASK_FAILED and TASK_RETRYING */
	int64_t next_attempt_at_ms; /**< TASK_RETRYING; otherwise 0 */
};

/** Appends the event as JSON; what does not apply is null. Returns 0, -ENOMEM or -EMSGSIZE. */
int event_encode(const struct event *event, struct buffer *out) must_check;

/** Decodes an event; unknown fields are ignored. -EBADMSG and `err` with the field's path if it is not one. */
int event_decode(struct event *event, const uint8_t *body, size_t size, struct error *err) must_check;

/** Writes the routing key `task.<scene>.<state>.quiet`; scene "unknown" when it is "". */
void event_routing_key(const struct event *event, char out[ENVELOPE_SHORT_SIZE]);

#endif
