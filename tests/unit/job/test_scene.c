#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "run.h"

#include "job/job.h"
#include "job/scene.h"

static int forget(void **state)
{
	(void)state;
	scene_use(&scene_builtin);
	return 0;
}

static void test_realtime(void **state)
{
	struct scene scene;

	(void)state;
	assert_true(scene_find("realtime", &scene));
	assert_string_equal(scene.name, "realtime");
	assert_int_equal(scene.lane, LANE_REALTIME);
	assert_int_equal(scene.end_to_end_ms, 300);
	assert_int_equal(scene.attempt_ms, 0);
	assert_int_equal(scene.retries, 0);
}

static void test_batch(void **state)
{
	struct scene scene;

	(void)state;
	assert_true(scene_find("batch", &scene));
	assert_int_equal(scene.lane, LANE_BATCH);
	assert_int_equal(scene.end_to_end_ms, 86400000);
	assert_int_equal(scene.attempt_ms, 2000);
	assert_int_equal(scene.retries, 1);
	assert_int_equal(scene.backoff_ms, 1000);
}

static void test_the_default_scene_exists(void **state)
{
	struct scene scene;
	struct job job;

	(void)state;
	job_init(&job, JOB_MATCH);
	assert_true(scene_find(job.scene, &scene));
}

static void test_unknown(void **state)
{
	struct scene scene = {.name = "untouched"};

	(void)state;
	assert_false(scene_find("", &scene));
	assert_false(scene_find("Batch", &scene));
	assert_false(scene_find("batch2", &scene));
	assert_string_equal(scene.name, "untouched");
}

static void test_lanes(void **state)
{
	(void)state;
	assert_string_equal(lane_name(LANE_REALTIME), "realtime");
	assert_string_equal(lane_name(LANE_BATCH), "batch");
}

static struct scene_table table_with(const char *name, int64_t end_to_end_ms)
{
	struct scene_table table = scene_builtin;
	struct scene *added = &table.items[table.count++];

	snprintf(added->name, sizeof(added->name), "%s", name);
	added->end_to_end_ms = end_to_end_ms;
	added->attempt_ms = end_to_end_ms;
	return table;
}

static void test_a_table_takes_the_place_of_the_one_before(void **state)
{
	struct scene_table one = table_with("kiosk", 800);
	struct scene_table other = table_with("night", 9);
	struct scene scene;

	(void)state;
	scene_use(&one);
	one.items[2].end_to_end_ms = 1; /* it was copied */
	assert_true(scene_find("kiosk", &scene));
	assert_int_equal(scene.end_to_end_ms, 800);
	scene_use(&other);
	assert_false(scene_find("kiosk", &scene));
	assert_true(scene_find("night", &scene));
	assert_true(scene_find("batch", &scene));
}

static void *swap(void *arg)
{
	const struct scene_table tables[] = {table_with("kiosk", 1), table_with("kiosk", 2)};

	for (unsigned i = 0; !atomic_load((atomic_bool *)arg); i++)
		scene_use(&tables[i % 2]);
	return NULL;
}

/* No reader sees half of one table and half of another. */
static void test_it_may_be_swapped_while_others_look(void **state)
{
	struct scene_table table = table_with("kiosk", 1);
	atomic_bool enough = false;
	pthread_t thread;

	(void)state;
	scene_use(&table);
	assert_int_equal(pthread_create(&thread, NULL, swap, &enough), 0);
	for (int i = 0; i < 20000; i++) {
		struct scene scene;
		assert_true(scene_find("kiosk", &scene));
		assert_int_equal(scene.end_to_end_ms, scene.attempt_ms);
	}
	atomic_store(&enough, true);
	pthread_join(thread, NULL);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget)

static const struct CMUnitTest tests[] = {
    TEST(test_realtime),
    TEST(test_batch),
    TEST(test_the_default_scene_exists),
    TEST(test_unknown),
    TEST(test_lanes),
    TEST(test_a_table_takes_the_place_of_the_one_before),
    TEST(test_it_may_be_swapped_while_others_look),
};

RUN_TESTS(tests)
