#ifndef JOB_CONTROL_H
#define JOB_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/uuid.h"
#include "job/job.h"

/* What the programs of a fleet tell each other on the control exchange. Always JSON; whoever misses a message finds
 * out by other means, so nobody waits for one. */

enum control_kind {
	CONTROL_OTHER,          /**< of a later release: ignore it */
	CONTROL_PEOPLE_CHANGED, /**< the store's people have a new version */
	CONTROL_PHOTOS_FORGET,  /**< forget the faces of photographs seen before */
	CONTROL_TASK_CANCELLED, /**< nobody wants a task's result any more */
	CONTROL_ROLL_CALL,      /**< everybody send a heartbeat now */
	CONTROL_PERSON_ERASED,  /**< forget tasks about a person: `user_id` in `collection`, or in all if that is "" */
	CONTROL_SETTINGS,       /**< the settings that the fleet shares have a new revision: `version` */
	CONTROL_HEARTBEAT       /**< who a worker is and how it does; sent regularly and when called for */
};

/** A worker as it describes itself. */
struct heartbeat {
	char worker[128]; /**< its name, as in replies */
	char host[64];
	int64_t pid;
	char version[32];
	char model[128]; /**< name of the embedder */
	int threads;     /**< that compute */
	int in_hand;     /**< deliveries not yet settled */
	double rate;     /**< tasks finished a second, since the last heartbeat but at least over a second */
	int64_t tasks;   /**< finished since it started */
	int64_t rss_bytes;
	int64_t started_at_ms;
	int64_t at_ms;
};

struct control {
	enum control_kind kind;
	uint64_t version;        /**< CONTROL_PEOPLE_CHANGED, CONTROL_SETTINGS */
	char task_id[UUID_SIZE]; /**< CONTROL_TASK_CANCELLED */
	char user_id[JOB_MAX_USER_BYTES + 1];
	char collection[JOB_MAX_COLLECTION_BYTES + 1];
	struct heartbeat heartbeat;
};

/** Appends the message. Returns 0, -ENOMEM or -EMSGSIZE. */
int control_encode(const struct control *control, struct buffer *out) must_check;

/** Unknown kinds are CONTROL_OTHER, unknown fields ignored. -EBADMSG and `err` with the field's path if it is no such
 * message. */
int control_decode(struct control *control, const uint8_t *body, size_t size, struct error *err) must_check;

#endif
