#ifndef JOB_TASK_H
#define JOB_TASK_H

#include <stdbool.h>

#include "base/error.h"
#include "base/uuid.h"
#include "job/envelope.h"
#include "job/job.h"
#include "job/task_state.h"
#include "job/value.h"
#include "job/writer.h"

/* The fields that replies and events have in common. */

/** Which task a body is about, as it stands in both. Strings are "" when absent. */
struct task_identity {
	char *task_id; /**< UUID_SIZE */
	bool *has_op;
	enum job_op *op;
	char *user_id;   /**< JOB_MAX_USER_BYTES + 1 */
	char *reference; /**< JOB_MAX_REFERENCE_BYTES + 1 */
	char *scene;     /**< JOB_MAX_SCENE_BYTES + 1 */
};

/** Reads task_id, op, user_id, reference and scene of the body `root`. */
void task_read_identity(const struct value *root, const struct task_identity *identity);

/** Writes `field` as the op, or null when there is none. */
void task_write_op(struct writer *w, bool has_op, enum job_op op);

/** Reads an id that, where it is present, must be a UUID. */
void task_read_id(const struct value *v, char out[UUID_SIZE]);

/** Reads `state`, which must be there. */
void task_read_state(const struct value *root, enum task_state *state);

/** Reads `attempt`; 0 when absent. */
void task_read_attempt(const struct value *root, int *attempt);

/** Writes `error`: null when it is not set. Codes that are not for replies are written as `internal`. */
void task_write_error(struct writer *w, const struct error *error);

/** Reads `error`; left alone when absent. */
void task_read_error(const struct value *root, struct error *error);

/** Writes the routing key `task.<scene>.<state>.<listener>`. */
void task_routing_key(const char *scene, enum task_state state, const char *listener, char out[ENVELOPE_SHORT_SIZE]);

#endif
