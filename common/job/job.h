#ifndef JOB_JOB_H
#define JOB_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "job/envelope.h"

/** What an encoded message may weigh at most: publishers refuse above it, so brokers never have to. */
#define JOB_MAX_ENCODED_BYTES (12u << 20)

#define JOB_MAX_SCENE_BYTES 32
#define JOB_MAX_USER_BYTES 128
#define JOB_MAX_COLLECTION_BYTES 128
#define JOB_MAX_REFERENCE_BYTES 256
#define JOB_MAX_URL_BYTES 2048
#define JOB_MAX_TOP_K 1000

enum job_op { JOB_MATCH, JOB_VERIFY, JOB_SEARCH, JOB_ENROLL, JOB_UNENROLL };
enum face_policy { FACE_POLICY_LARGEST, FACE_POLICY_BEST_PAIR, FACE_POLICY_REJECT_MULTIPLE };

/** Bytes or the URL they are to be fetched from; both NULL when the op has no such image. */
struct job_image {
	const uint8_t *data;
	size_t size;
	const char *url;
};

/**
 * One task as a publisher asks for it. Strings are NUL-terminated and never NULL except `url` and
 * `callback_url`. A decoded job owns its strings; image bytes of a MessagePack job point into the
 * body it was decoded from, which must outlive it. A job that is only encoded borrows everything.
 */
struct job {
	enum job_op op;
	bool has_op; /**< false only when decoding was refused before the op could be read */
	struct job_image image_a;
	struct job_image image_b;
	const char *user_id;      /**< "" when absent */
	const char *collection;   /**< "default" when absent */
	const char *scene;        /**< "batch" when absent; "" when it could not be read */
	const char *callback_url; /**< NULL when absent */
	const char *reference;    /**< "" when absent */
	struct job_options {
		bool has_threshold;
		double threshold; /**< cosine in [-1, 1] */
		bool has_far;
		double far; /**< false-accept rate in (0, 1) */
		bool has_face_policy;
		enum face_policy face_policy; /**< FACE_POLICY_LARGEST when absent */
		int top_k;                    /**< 0 when absent */
	} options;
	void *owned; /**< private to job.c */
};

/** A job with every default filled in, for a publisher to complete. */
void job_init(struct job *job, enum job_op op);

/**
 * Decodes and checks a body of `size` bytes. On refusal returns -EBADMSG and `err` is
 * `invalid_job` with the field's path ("image_a.url: …"); `job` then holds what could be read of
 * reference, scene, op, user_id and callback_url, so that the refusal can be answered. Without
 * memory returns -EAGAIN and `err` is `internal`. Either way the caller calls job_finish(). Null
 * counts as absent, unknown fields are ignored. Any thread; allocates at most a few
 * megabytes and a small multiple of `size`. MessagePack costs next to nothing, JSON about 20 ns a
 * byte (jansson).
 */
int job_decode(struct job *job, enum encoding encoding, const uint8_t *body, size_t size, struct error *err) must_check;

/** When a job is to run, if not at once. Stands in a body beside the job, and is no part of it. */
struct job_when {
	bool has_delay;
	int64_t delay_ms; /**< 0 or more */
	bool has_run_at;
	int64_t run_at_ms; /**< unix ms */
};

/** What is known of a job before its body is read: where it came in says so. */
struct job_frame {
	enum job_op op;
	const char *user_id;   /**< NULL when the body says it */
	struct job_when *when; /**< gets delay_ms and run_at of the body; NULL: they are ignored like any other field */
};

/**
 * Like job_decode(), for a body that may leave out what `frame` says and must not contradict it. Strings of `frame`
 * are copied.
 */
int job_decode_framed(struct job *job, const struct job_frame *frame, enum encoding encoding, const uint8_t *body,
		      size_t size, struct error *err) must_check;

struct value;

/**
 * Like job_decode(), for a job that is a map within an open document, whose other refusals count too. Errors have its
 * path before the field's ("job.image_a.url: …").
 */
int job_decode_value(struct job *job, const struct value *map, struct error *err) must_check;

/**
 * Encodes a job. Refuses (`invalid_job`) what job_decode() would refuse, and more than
 * JOB_MAX_ENCODED_BYTES (`image_too_large`). Appends to `out`.
 */
int job_encode(const struct job *job, enum encoding encoding, struct buffer *out, struct error *err) must_check;

/** Frees what decoding allocated. */
void job_finish(struct job *job);

const char *job_op_name(enum job_op op);
int job_op_from_name(const char *name, enum job_op *op) must_check;
const char *face_policy_name(enum face_policy policy);
int face_policy_from_name(const char *name, enum face_policy *policy) must_check;

/** True for 1 to 32 characters of [a-z0-9_-]. */
bool job_scene_is_valid(const char *scene);

#endif
