/* Job bodies: the first byte picks the encoding. What decodes must encode, and decode to the same. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "job/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_image(const struct job_image *a, const struct job_image *b)
{
	return a->size == b->size && !a->data == !b->data && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0) &&
	       same_text(a->url, b->url);
}

static void assert_same(const struct job *a, const struct job *b)
{
	assert(a->op == b->op && a->has_op && b->has_op);
	assert(same_image(&a->image_a, &b->image_a));
	assert(same_image(&a->image_b, &b->image_b));
	assert(same_text(a->user_id, b->user_id));
	assert(same_text(a->collection, b->collection));
	assert(same_text(a->scene, b->scene));
	assert(same_text(a->callback_url, b->callback_url));
	assert(same_text(a->reference, b->reference));
	assert(a->options.has_threshold == b->options.has_threshold);
	assert(a->options.threshold == b->options.threshold);
	assert(a->options.has_far == b->options.has_far);
	assert(a->options.far == b->options.far);
	assert(a->options.has_face_policy == b->options.has_face_policy);
	assert(a->options.face_policy == b->options.face_policy);
	assert(a->options.top_k == b->options.top_k);
}

static void encode_and_compare(const struct job *job, enum encoding encoding)
{
	struct buffer body = {0};
	struct job again;
	struct error err;

	if (job_encode(job, encoding, &body, &err) < 0) {
		assert(err.code == ERROR_IMAGE_TOO_LARGE);
	} else {
		assert(job_decode(&again, encoding, body.data, body.size, &err) == 0);
		assert_same(job, &again);
		job_finish(&again);
	}
	buffer_finish(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job job;
	struct error err = {0};

	if (size == 0)
		return 0;
	if (job_decode(&job, data[0] % 2 ? ENCODING_MSGPACK : ENCODING_JSON, data + 1, size - 1, &err) == 0) {
		encode_and_compare(&job, ENCODING_JSON);
		encode_and_compare(&job, ENCODING_MSGPACK);
	} else {
		assert(err.code == ERROR_INVALID_JOB && err.text[0] != '\0');
		assert(!job.image_a.data && !job.image_b.data);
		assert(job.scene[0] == '\0' || job_scene_is_valid(job.scene));
	}
	job_finish(&job);
	return 0;
}
