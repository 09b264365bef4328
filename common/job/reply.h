#ifndef JOB_REPLY_H
#define JOB_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "job/envelope.h"
#include "job/job.h"
#include "job/task_state.h"

/** The stages of a task, in order; durations are milliseconds, negative = did not run. */
enum stage {
	STAGE_QUEUE,
	STAGE_FETCH,
	STAGE_DECODE,
	STAGE_DETECT,
	STAGE_ALIGN,
	STAGE_EMBED,
	STAGE_COMPARE,
	STAGE_TOTAL
};
#define STAGE_COUNT (STAGE_TOTAL + 1)

struct timings {
	double ms[STAGE_COUNT];
};

/** Sets every stage to "did not run". */
void timings_init(struct timings *t);

/** Adds to a stage, which then counts as having run. */
void timings_add(struct timings *t, enum stage stage, double ms);

/** The stage as the wire and the metrics spell it ("decode"). Static storage. */
const char *stage_name(enum stage stage);

/** The face a photograph was judged by. Pixels of the full-size, upright picture. */
struct reply_face {
	bool present;
	double box[4]; /**< x, y, width, height */
	double score;
	double landmarks[5][2]; /**< eye on the picture's left, other eye, nose, mouth corners left first */
	int faces;              /**< how many were found (those below min_face do not count) */
	int index;              /**< which of them was chosen, by falling area */
};

/** What an overloaded worker left out of a reply. Never anything that decides a verdict or an enrolment. */
enum degradation {
	DEGRADED_CANDIDATES, /**< all but the best candidate of a search */
	DEGRADED_TIMINGS     /**< all timings but queue and total */
};
#define DEGRADATION_COUNT (DEGRADED_TIMINGS + 1)

struct reply_candidate {
	char user_id[JOB_MAX_USER_BYTES + 1];
	char image_id[UUID_SIZE];
	double similarity;
};

/**
 * The one message a finished task ends in. Strings are "" when absent. Only `candidates` is
 * allocated; it belongs to the reply.
 */
struct reply {
	char task_id[UUID_SIZE];
	enum job_op op;
	bool has_op; /**< false when the job was too broken to tell */
	char user_id[JOB_MAX_USER_BYTES + 1];
	char collection[JOB_MAX_COLLECTION_BYTES + 1];
	char reference[JOB_MAX_REFERENCE_BYTES + 1];
	char scene[JOB_MAX_SCENE_BYTES + 1];
	char callback_url[JOB_MAX_URL_BYTES + 1]; /**< never in the body: it travels as an envelope header */
	enum task_state state;                    /**< TASK_SUCCEEDED or TASK_FINAL_FAILED */
	int attempt;
	struct reply_result {
		bool present; /**< succeeded tasks have one */
		bool has_match;
		bool matched;
		double similarity;
		double threshold;
		enum face_policy face_policy;
		struct reply_face face_a;
		struct reply_face face_b;
		bool has_candidates;
		struct reply_candidate *candidates;
		size_t candidate_count;
	} result;
	struct error error; /**< set for TASK_FINAL_FAILED */
	struct timings timings;
	unsigned degraded; /**< 1 << enum degradation, or-ed; 0: nothing was left out */
	char worker[128];
	char model[128];
	int64_t accepted_at_ms; /**< unix ms; 0 = unknown */
	int64_t finished_at_ms;
};

/** A reply to `job` (NULL: nothing could be read) with its echoed fields filled in, times and timings unset. */
void reply_init(struct reply *reply, const char *task_id, const struct job *job);

/**
 * Appends the encoded reply to `out`. Every field is always there, `degraded` alone only where something was left out;
 * what does not apply is null. With DEGRADED_TIMINGS, timings are left out here. 0 or -ENOMEM / -EMSGSIZE.
 */
int reply_encode(const struct reply *reply, enum encoding encoding, struct buffer *out) must_check;

/**
 * Appends the reply as JSON for a callback's `data`, candidates cut from the end until it is at
 * most `max_bytes`. Returns as reply_encode().
 */
int reply_encode_json_within(const struct reply *reply, size_t max_bytes, struct buffer *out) must_check;

/**
 * Decodes a reply, which reply_finish() then frees; unknown fields are ignored. If it is not one
 * returns -EBADMSG and `err` has the field's path; -EAGAIN without memory. `reply` is written on
 * success only, never its callback_url.
 */
int reply_decode(struct reply *reply, enum encoding encoding, const uint8_t *body, size_t size,
		 struct error *err) must_check;

/** Takes a user out of the candidates, whose order stays; true if they were among them. */
bool reply_remove_candidate(struct reply *reply, const char *user_id);

/** Frees the candidates. */
void reply_finish(struct reply *reply);

/** Writes the routing key `task.<scene>.<state>.<callback|quiet>`; scene "unknown" when it is "". */
void reply_routing_key(const struct reply *reply, char out[ENVELOPE_SHORT_SIZE]);

#endif
