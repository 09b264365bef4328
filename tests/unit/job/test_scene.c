#include "run.h"

#include "job/job.h"
#include "job/scene.h"

static void test_realtime(void **state)
{
	const struct scene *scene = scene_find("realtime");

	(void)state;
	assert_non_null(scene);
	assert_string_equal(scene->name, "realtime");
	assert_int_equal(scene->lane, LANE_REALTIME);
	assert_int_equal(scene->end_to_end_ms, 300);
	assert_int_equal(scene->attempt_ms, 0);
	assert_int_equal(scene->retries, 0);
	assert_int_equal(scene->backoff_ms, 0);
}

static void test_batch(void **state)
{
	const struct scene *scene = scene_find("batch");

	(void)state;
	assert_non_null(scene);
	assert_int_equal(scene->lane, LANE_BATCH);
	assert_int_equal(scene->end_to_end_ms, 86400000);
	assert_int_equal(scene->attempt_ms, 2000);
	assert_int_equal(scene->retries, 1);
	assert_int_equal(scene->backoff_ms, 1000);
}

static void test_the_default_scene_exists(void **state)
{
	struct job job;

	(void)state;
	job_init(&job, JOB_MATCH);
	assert_non_null(scene_find(job.scene));
}

static void test_unknown(void **state)
{
	(void)state;
	assert_null(scene_find(""));
	assert_null(scene_find("Batch"));
	assert_null(scene_find("batch2"));
}

static void test_lanes(void **state)
{
	(void)state;
	assert_string_equal(lane_name(LANE_REALTIME), "realtime");
	assert_string_equal(lane_name(LANE_BATCH), "batch");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_realtime), cmocka_unit_test(test_batch), cmocka_unit_test(test_the_default_scene_exists),
    cmocka_unit_test(test_unknown),  cmocka_unit_test(test_lanes),
};

RUN_TESTS(tests)
