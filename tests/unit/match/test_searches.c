/* Searches that wait for each other, in a gallery that counts as large. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "registry.h"
#include "scratch_store.h"
#include "searches.h"

#define PATIENCE_MS 20000
#define TOGETHER 8
#define TASKS TOGETHER

static struct modelset *models;
static struct buffer photos[2];
static struct scratch_store scratch;
static struct metrics *metrics;
static struct registry *registry;
static struct matcher *matcher;
static struct searches *searches;
static struct task tasks[TASKS];
static unsigned finished;
static enum error_code codes[TASKS];

static const char *const photo_names[] = {"person01_1.jpg", "person02_1.jpg"};

static const char *source_path(const char *name)
{
	static char path[2][4096];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", SOURCE_ROOT, name);
	return path[turn];
}

static int set_up_all(void **state)
{
	struct error err = {0};
	char name[64];

	(void)state;
	if (modelset_load(&models, source_path("deploy/models/default/detector"),
			  source_path("deploy/models/default/embedder"), &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < array_size(photos); i++) {
		snprintf(name, sizeof(name), "tests/data/people/%s", photo_names[i]);
		assert_int_equal(buffer_read_file(&photos[i], source_path(name), 1 << 20, &err), 0);
	}
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(photos); i++)
		buffer_finish(&photos[i]);
	modelset_free(models);
	return 0;
}

static void on_announce(void *arg, uint64_t version)
{
	(void)arg;
	(void)version;
}

static void on_finished(void *arg, struct task *task, const struct error *err)
{
	(void)arg;
	codes[task - tasks] = err ? err->code : ERROR_NONE;
	finished++;
}

static void start(size_t large_gallery_bytes)
{
	struct error err = {0};
	const struct registry_settings settings = {
	    .store = scratch.settings,
	    .poll_ms = 600000,
	    .large_gallery_bytes = large_gallery_bytes,
	    .models = models,
	    .metrics = metrics,
	    .announce = on_announce,
	};
	if (registry_start(&registry, &settings, &err) < 0)
		fail_msg("%s", err.text);
	const struct matcher_settings matching = {
	    .models = models,
	    .limits = {.max_bytes = 1 << 20, .max_pixels = 1000000, .max_side = 4000},
	    .min_threshold = -1,
	    .people = registry_desk(registry),
	};
	if (matcher_new(&matcher, &matching, &err) < 0)
		fail_msg("%s", err.text);
	searches = searches_new(matcher, TOGETHER, on_finished, NULL);
	assert_non_null(searches);
}

/* Somebody whose embedding is that of each photograph, in each of two collections. */
static void enroll_photos(void)
{
	static const char *const collections[] = {"staff", "guests"};
	struct reply reply;
	struct error err = {0};

	for (unsigned i = 0; i < array_size(photos) * array_size(collections); i++) {
		struct job job;
		char id[UUID_SIZE];
		char user[16];

		snprintf(id, sizeof(id), "00000000-0000-7000-8000-%012x", i);
		snprintf(user, sizeof(user), "user-%u", i / 2);
		job_init(&job, JOB_ENROLL);
		job.user_id = user;
		job.collection = collections[i % 2];
		job.image_a = (struct job_image){.data = photos[i / 2].data, .size = photos[i / 2].size};
		reply_init(&reply, id, &job);
		timings_init(&reply.timings);
		reply.accepted_at_ms = 1;
		if (matcher_run(matcher, NULL, &job, &reply, &err) < 0)
			fail_msg("%s", err.text);
	}
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;
	while (galleries_version(registry_desk(registry)->galleries) < 4 && clock_monotonic_ms() < until)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static int set_up(void **state)
{
	(void)state;
	finished = 0;
	scratch_store_init(&scratch);
	metrics = metrics_new();
	start(1);
	enroll_photos();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < TASKS; i++)
		reply_finish(&tasks[i].reply);
	searches_free(searches);
	matcher_free(matcher);
	registry_stop(registry);
	metrics_free(metrics);
	scratch_store_finish(&scratch);
	return 0;
}

static struct task *search_for(int number, int photo, const char *collection)
{
	struct task *task = &tasks[number];

	memset(task, 0, sizeof(*task));
	job_init(&task->job, JOB_SEARCH);
	task->job.collection = collection;
	task->job.image_a = (struct job_image){.data = photos[photo].data, .size = photos[photo].size};
	reply_init(&task->reply, "", &task->job);
	timings_init(&task->reply.timings);
	return task;
}

static void expect(int number, const char *user_id)
{
	const struct reply_result *result = &tasks[number].reply.result;

	assert_int_equal(codes[number], ERROR_NONE);
	assert_int_equal(result->candidate_count, 1);
	assert_string_equal(result->candidates[0].user_id, user_id);
	assert_true(result->candidates[0].similarity > 0.99);
}

static void searches_wait_until_they_are_told(void **state)
{
	(void)state;
	searches_take(searches, search_for(0, 0, "staff"));
	searches_take(searches, search_for(1, 1, "guests"));
	searches_take(searches, search_for(2, 1, "staff"));
	assert_int_equal(finished, 0);
	searches_finish(searches);
	assert_int_equal(finished, 3);
	expect(0, "user-0");
	expect(1, "user-1");
	expect(2, "user-1");
	searches_finish(searches);
	assert_int_equal(finished, 3);
}

static void a_full_house_waits_no_longer(void **state)
{
	(void)state;
	for (int i = 0; i < TOGETHER; i++) {
		assert_int_equal(finished, 0);
		searches_take(searches, search_for(i, i % 2, i % 3 ? "staff" : "guests"));
	}
	assert_int_equal(finished, TOGETHER);
	for (int i = 0; i < TOGETHER; i++)
		expect(i, i % 2 ? "user-1" : "user-0");
}

static void nobody_waits_for_ever(void **state)
{
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;

	(void)state;
	assert_false(searches_are_due(searches));
	searches_take(searches, search_for(0, 0, "staff"));
	while (!searches_are_due(searches) && clock_monotonic_ms() < until)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_true(searches_are_due(searches));
	searches_finish(searches);
	expect(0, "user-0");
	assert_false(searches_are_due(searches));
}

/* The others get their results all the same. */
static void who_is_cancelled_meanwhile_gets_no_result(void **state)
{
	(void)state;
	searches_take(searches, search_for(0, 0, "staff"));
	searches_take(searches, search_for(1, 1, "staff"));
	context_cancel(&tasks[0].ctx);
	searches_finish(searches);
	assert_int_equal(codes[0], ERROR_CANCELLED);
	assert_int_equal(tasks[0].reply.result.candidate_count, 0);
	expect(1, "user-1");
}

static void what_has_no_face_fails_at_once(void **state)
{
	struct task *task = search_for(0, 0, "staff");

	(void)state;
	task->job.image_a = (struct job_image){.data = (const uint8_t *)"no picture", .size = 10};
	searches_take(searches, task);
	assert_int_equal(finished, 1);
	assert_int_equal(codes[0], ERROR_IMAGE_UNSUPPORTED);
}

static void in_a_small_gallery_nobody_waits(void **state)
{
	(void)state;
	searches_free(searches);
	matcher_free(matcher);
	registry_stop(registry);
	start(0);
	searches_take(searches, search_for(0, 0, "staff"));
	assert_int_equal(finished, 1);
	expect(0, "user-0");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(searches_wait_until_they_are_told),
    CASE(a_full_house_waits_no_longer),
    CASE(nobody_waits_for_ever),
    CASE(who_is_cancelled_meanwhile_gets_no_result),
    CASE(what_has_no_face_fails_at_once),
    CASE(in_a_small_gallery_nobody_waits),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
