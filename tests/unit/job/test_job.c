#include "run.h"

#include <errno.h>

#include "job/job.h"

static void test_defaults(void **state)
{
	struct job job;

	(void)state;
	job_init(&job, JOB_SEARCH);
	assert_int_equal(job.op, JOB_SEARCH);
	assert_true(job.has_op);
	assert_string_equal(job.collection, "default");
	assert_string_equal(job.scene, "batch");
	assert_string_equal(job.user_id, "");
	assert_string_equal(job.reference, "");
	assert_null(job.callback_url);
	assert_null(job.image_a.data);
	assert_null(job.image_a.url);
	assert_int_equal(job.options.face_policy, FACE_POLICY_LARGEST);
	assert_int_equal(job.options.top_k, 0);
	job_finish(&job);
}

static void test_op_names(void **state)
{
	static const char *const names[] = {"match", "verify", "search", "enroll", "unenroll"};
	enum job_op op;

	(void)state;
	for (size_t i = 0; i < array_size(names); i++) {
		assert_string_equal(job_op_name((enum job_op)i), names[i]);
		assert_int_equal(job_op_from_name(names[i], &op), 0);
		assert_int_equal(op, i);
	}
	assert_int_equal(job_op_from_name("Match", &op), -EINVAL);
	assert_int_equal(job_op_from_name("", &op), -EINVAL);
	assert_int_equal(op, JOB_UNENROLL);
}

static void test_policy_names(void **state)
{
	static const char *const names[] = {"largest", "best_pair", "reject_multiple"};
	enum face_policy policy;

	(void)state;
	for (size_t i = 0; i < array_size(names); i++) {
		assert_string_equal(face_policy_name((enum face_policy)i), names[i]);
		assert_int_equal(face_policy_from_name(names[i], &policy), 0);
		assert_int_equal(policy, i);
	}
	assert_int_equal(face_policy_from_name("smallest", &policy), -EINVAL);
}

static void test_scene_names(void **state)
{
	(void)state;
	assert_true(job_scene_is_valid("a"));
	assert_true(job_scene_is_valid("real_time-2"));
	assert_true(job_scene_is_valid("abcdefghijklmnopqrstuvwxyz012345"));
	assert_false(job_scene_is_valid("abcdefghijklmnopqrstuvwxyz0123456"));
	assert_false(job_scene_is_valid(""));
	assert_false(job_scene_is_valid("Batch"));
	assert_false(job_scene_is_valid("a.b"));
	assert_false(job_scene_is_valid("a b"));
	assert_false(job_scene_is_valid("batch\n"));
	assert_false(job_scene_is_valid("*"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_defaults),
    cmocka_unit_test(test_op_names),
    cmocka_unit_test(test_policy_names),
    cmocka_unit_test(test_scene_names),
};

RUN_TESTS(tests)
