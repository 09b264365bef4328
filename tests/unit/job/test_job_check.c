#include "run.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "job/job_check.h"

static const struct job_image picture = {.data = (const uint8_t *)"jpeg", .size = 4};

static struct job valid_job(enum job_op op)
{
	struct job job;

	job_init(&job, op);
	if (op != JOB_UNENROLL)
		job.image_a = picture;
	if (op == JOB_MATCH)
		job.image_b = picture;
	if (op == JOB_VERIFY || op == JOB_ENROLL || op == JOB_UNENROLL)
		job.user_id = "u1";
	return job;
}

static void assert_fine(const struct job *job)
{
	struct error err = {0};

	if (job_check(job, &err) != 0)
		fail_msg("refused: %s", err.text);
}

static void assert_refused(const struct job *job, const char *text)
{
	struct error err = {0};

	assert_int_equal(job_check(job, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_INVALID_JOB);
	assert_int_equal(err.class, ERROR_CLASS_REJECT);
	assert_string_equal(err.text, text);
}

static void test_every_op(void **state)
{
	(void)state;
	for (int op = JOB_MATCH; op <= JOB_UNENROLL; op++) {
		struct job job = valid_job((enum job_op)op);
		assert_fine(&job);
	}
}

static void test_images(void **state)
{
	struct job job = valid_job(JOB_MATCH);

	(void)state;
	job.image_a = (struct job_image){0};
	assert_refused(&job, "image_a: is missing");
	job.image_a = (struct job_image){.data = picture.data, .size = 4, .url = "https://example.com/"};
	assert_refused(&job, "image_a: has both data and url");
	job.image_a = (struct job_image){.data = picture.data, .size = 0};
	assert_refused(&job, "image_a.data: is empty");
	job.image_a = (struct job_image){.url = "https://example.com/a.jpg"};
	assert_fine(&job);
	job.image_b = (struct job_image){.url = "/tmp/b.jpg"};
	assert_refused(&job, "image_b.url: does not begin with http:// or https://");
	job.image_b = (struct job_image){0};
	assert_refused(&job, "image_b: is missing");

	job = valid_job(JOB_SEARCH);
	job.image_b = picture;
	assert_refused(&job, "image_b: only a match has a second image");
	job = valid_job(JOB_UNENROLL);
	job.image_b = picture;
	assert_refused(&job, "image_b: only a match has a second image");
}

static void test_users(void **state)
{
	char long_text[JOB_MAX_REFERENCE_BYTES + 2];
	struct job job = valid_job(JOB_VERIFY);

	(void)state;
	job.user_id = "";
	assert_refused(&job, "user_id: is missing, verify needs it");
	job.user_id = "\xC3(";
	assert_refused(&job, "user_id: is not valid UTF-8");

	memset(long_text, 'x', sizeof(long_text));
	long_text[JOB_MAX_USER_BYTES] = '\0';
	job.user_id = long_text;
	job.collection = long_text;
	assert_fine(&job);
	long_text[JOB_MAX_USER_BYTES] = 'x';
	long_text[JOB_MAX_USER_BYTES + 1] = '\0';
	assert_refused(&job, "user_id: 129 bytes, at most 128 are allowed");
	job.user_id = "u1";
	assert_refused(&job, "collection: 129 bytes, at most 128 are allowed");
	job.collection = "default";
	job.reference = long_text;
	assert_fine(&job);
	long_text[JOB_MAX_USER_BYTES + 1] = 'x';
	long_text[JOB_MAX_REFERENCE_BYTES + 1] = '\0';
	assert_refused(&job, "reference: 257 bytes, at most 256 are allowed");
}

static void test_scene_and_callback(void **state)
{
	struct job job = valid_job(JOB_MATCH);

	(void)state;
	job.scene = "realtime";
	assert_fine(&job);
	job.scene = "lunch";
	assert_refused(&job, "scene: \"lunch\" is not known");
	job.scene = "Batch!";
	assert_refused(&job, "scene: 1 to 32 characters of a-z, 0-9, _ and - were expected");
	job.scene = "batch";
	job.callback_url = "https://example.com/hook";
	assert_fine(&job);
	job.callback_url = "https://me:secret@example.com/hook";
	assert_refused(&job, "callback.url: must not carry a user name or password");
}

static void test_options(void **state)
{
	struct job job = valid_job(JOB_MATCH);

	(void)state;
	job.options.has_threshold = true;
	job.options.threshold = -1;
	assert_fine(&job);
	job.options.threshold = 1;
	assert_fine(&job);
	job.options.threshold = 1.5;
	assert_refused(&job, "options.threshold: 1.5 is not within -1 to 1");
	job.options.threshold = NAN;
	assert_refused(&job, "options.threshold: nan is not within -1 to 1");
	job.options.has_far = true;
	job.options.far = 0.5;
	assert_refused(&job, "options: has both threshold and far");
	job.options.has_threshold = false;
	assert_fine(&job);
	job.options.far = 0;
	assert_refused(&job, "options.far: 0 is not between 0 and 1");
	job.options.far = 1;
	assert_refused(&job, "options.far: 1 is not between 0 and 1");

	job = valid_job(JOB_SEARCH);
	job.options.top_k = JOB_MAX_TOP_K;
	assert_fine(&job);
	job.options.top_k = JOB_MAX_TOP_K + 1;
	assert_refused(&job, "options.top_k: 1001 is not within 1 to 1000");
	job.options.top_k = -1;
	assert_refused(&job, "options.top_k: -1 is not within 1 to 1000");
	job.options.top_k = 0;
	job.options.has_face_policy = true;
	job.options.face_policy = FACE_POLICY_BEST_PAIR;
	assert_refused(&job, "options.face_policy: best_pair is for a match only");
	job.options.face_policy = FACE_POLICY_REJECT_MULTIPLE;
	assert_fine(&job);
}

static void test_no_op(void **state)
{
	struct job job = valid_job(JOB_MATCH);

	(void)state;
	job.has_op = false;
	assert_refused(&job, "op: is missing");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_op),           cmocka_unit_test(test_images),  cmocka_unit_test(test_users),
    cmocka_unit_test(test_scene_and_callback), cmocka_unit_test(test_options), cmocka_unit_test(test_no_op),
};

RUN_TESTS(tests)
