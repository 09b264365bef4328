#ifndef JOB_ENVELOPE_H
#define JOB_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/trace.h"
#include "base/uuid.h"

#define ENVELOPE_TYPE_JOB "facefleet.job.v1"
#define ENVELOPE_TYPE_REPLY "facefleet.reply.v1"
#define ENVELOPE_TYPE_EVENT "facefleet.event.v1"
#define ENVELOPE_TYPE_DELIVERY "facefleet.delivery.v1"
#define ENVELOPE_TYPE_CONTROL "facefleet.control.v1"

/** Longest short string of AMQP, and the terminating zero. */
#define ENVELOPE_SHORT_SIZE 256

/** Longest callback URL, and the terminating zero. */
#define ENVELOPE_URL_SIZE 2049

/** Longest id of an API key, and the terminating zero. */
#define ENVELOPE_OWNER_SIZE 65

/** How a body is encoded; on the wire `application/json` and `application/msgpack`. */
enum encoding { ENCODING_JSON, ENCODING_MSGPACK };

/** The content type of an encoding. Static storage. */
const char *encoding_content_type(enum encoding encoding);

/**
 * The encoding of a content type (parameters such as "; charset=utf-8" are ignored, letter case
 * too). Returns 0 or -EINVAL.
 */
int encoding_from_content_type(const char *content_type, enum encoding *encoding);

/**
 * The AMQP properties and headers of a facefleet message, free of any AMQP library. Strings that
 * are absent are "", numbers that are absent are 0. It owns no memory.
 */
struct envelope {
	char message_id[ENVELOPE_SHORT_SIZE]; /**< the task id */
	char type[ENVELOPE_SHORT_SIZE];       /**< ENVELOPE_TYPE_… */
	char content_type[64];
	char reply_to[ENVELOPE_SHORT_SIZE];
	char correlation_id[ENVELOPE_SHORT_SIZE];
	int64_t accepted_ms;    /**< facefleet-accepted, unix ms */
	int64_t deadline_ms;    /**< facefleet-deadline, unix ms */
	int32_t attempt;        /**< facefleet-attempt, from 1 */
	bool suspect;           /**< facefleet-suspect, 1: a message of the same task may have killed workers */
	int64_t sent_ms;        /**< unix ms, to the second, read only: when it was published here; a hint for people */
	int64_t delivery_count; /**< x-delivery-count, read only: redeliveries so far */
	char traceparent[TRACEPARENT_SIZE];
	char tracestate[TRACESTATE_SIZE];
	/** facefleet-callback, on the exchange's copy of a reply: the URL that wants it, so that the body
	 * stays what every other reader sees. */
	char callback_url[ENVELOPE_URL_SIZE];
	char owner[ENVELOPE_OWNER_SIZE];       /**< facefleet-owner: id of the API key a task came in with */
	char reason[256];                      /**< facefleet-reason, on parked messages */
	char origin[256];                      /**< facefleet-origin, on parked messages */
	char death_reason[32];                 /**< x-first-death-reason / newest x-death reason, read only */
	char death_queue[ENVELOPE_SHORT_SIZE]; /**< x-first-death-queue, read only */
};

#endif
