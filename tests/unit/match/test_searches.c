/* Searches that wait for each other, in a gallery that counts as large. */
#include "run.h"

#include <stdio.h>
#include <string.h>

#include "people_rig.h"
#include "searches.h"
#include "wait.h"

#define TOGETHER 8

static const struct quality_limits no_limits;
static struct people_rig rig;
static struct searches *searches;
static struct task tasks[TOGETHER];
static unsigned finished;
static enum error_code codes[TOGETHER];

static int set_up_all(void **state)
{
	(void)state;
	people_rig_begin(&rig);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	people_rig_end(&rig);
	return 0;
}

static void on_finished(void *arg, struct task *task, const struct error *err)
{
	(void)arg;
	codes[task - tasks] = err ? err->code : ERROR_NONE;
	finished++;
}

static void start(size_t large_gallery_bytes)
{
	people_rig_start(&rig, &no_limits, large_gallery_bytes);
	searches = searches_new(rig.matcher, TOGETHER, on_finished, NULL);
	assert_non_null(searches);
}

static void stop(void)
{
	searches_free(searches);
	people_rig_stop(&rig);
}

/* ada and bob, in each of two collections. */
static void enroll_both(void)
{
	static const char *const collections[] = {"staff", "guests"};
	struct reply reply;

	for (unsigned i = 0; i < array_size(collections); i++) {
		struct job ada = people_rig_job(&rig, JOB_ENROLL, "ada", RIG_ADA);
		struct job bob = people_rig_job(&rig, JOB_ENROLL, "bob", RIG_BOB);

		ada.collection = bob.collection = collections[i];
		assert_int_equal(people_rig_run(&rig, &ada, 2 * i, &reply), ERROR_NONE);
		assert_int_equal(people_rig_run(&rig, &bob, 2 * i + 1, &reply), ERROR_NONE);
	}
	people_rig_catch_up(&rig);
}

static int set_up(void **state)
{
	(void)state;
	finished = 0;
	memset(tasks, 0, sizeof(tasks));
	people_rig_set_up(&rig);
	start(1);
	enroll_both();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < TOGETHER; i++)
		reply_finish(&tasks[i].reply);
	searches_free(searches);
	people_rig_tear_down(&rig);
	return 0;
}

static struct task *search_for(int number, int photo, const char *collection)
{
	struct task *task = &tasks[number];

	task->job = people_rig_job(&rig, JOB_SEARCH, "", photo);
	task->job.collection = collection;
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
	searches_take(searches, search_for(0, RIG_ADA, "staff"));
	searches_take(searches, search_for(1, RIG_BOB, "guests"));
	searches_take(searches, search_for(2, RIG_BOB, "staff"));
	assert_int_equal(finished, 0);
	searches_finish(searches);
	assert_int_equal(finished, 3);
	expect(0, "ada");
	expect(1, "bob");
	expect(2, "bob");
	searches_finish(searches);
	assert_int_equal(finished, 3);
}

static void a_full_house_waits_no_longer(void **state)
{
	(void)state;
	for (int i = 0; i < TOGETHER; i++) {
		assert_int_equal(finished, 0);
		searches_take(searches, search_for(i, i % 2 ? RIG_BOB : RIG_ADA, i % 3 ? "staff" : "guests"));
	}
	assert_int_equal(finished, TOGETHER);
	for (int i = 0; i < TOGETHER; i++)
		expect(i, i % 2 ? "bob" : "ada");
}

static void nobody_waits_for_ever(void **state)
{
	(void)state;
	assert_false(searches_are_due(searches));
	searches_take(searches, search_for(0, RIG_ADA, "staff"));
	WAIT_UNTIL(searches_are_due(searches));
	searches_finish(searches);
	expect(0, "ada");
	assert_false(searches_are_due(searches));
}

/* The others get their results all the same. */
static void who_is_cancelled_meanwhile_gets_no_result(void **state)
{
	(void)state;
	searches_take(searches, search_for(0, RIG_ADA, "staff"));
	searches_take(searches, search_for(1, RIG_BOB, "staff"));
	context_cancel(&tasks[0].ctx);
	searches_finish(searches);
	assert_int_equal(codes[0], ERROR_CANCELLED);
	assert_int_equal(tasks[0].reply.result.candidate_count, 0);
	expect(1, "bob");
}

static void what_has_no_face_fails_at_once(void **state)
{
	struct task *task = search_for(0, RIG_ADA, "staff");

	(void)state;
	task->job.image_a = (struct job_image){.data = (const uint8_t *)"no picture", .size = 10};
	searches_take(searches, task);
	assert_int_equal(finished, 1);
	assert_int_equal(codes[0], ERROR_IMAGE_UNSUPPORTED);
}

static void in_a_small_gallery_nobody_waits(void **state)
{
	(void)state;
	stop();
	start(0);
	searches_take(searches, search_for(0, RIG_ADA, "staff"));
	assert_int_equal(finished, 1);
	expect(0, "ada");
}

static void an_overloaded_worker_gives_the_best_alone(void **state)
{
	struct task *all = search_for(0, RIG_BOB, "staff");
	struct task *best = search_for(1, RIG_BOB, "staff");

	(void)state;
	all->job.options = best->job.options = (struct job_options){.has_threshold = true, .threshold = -1};
	best->reply.degraded = 1u << DEGRADED_CANDIDATES;
	searches_take(searches, all);
	searches_take(searches, best);
	searches_finish(searches);
	assert_int_equal(all->reply.result.candidate_count, 2);
	expect(1, "bob");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(searches_wait_until_they_are_told),
    CASE(a_full_house_waits_no_longer),
    CASE(nobody_waits_for_ever),
    CASE(who_is_cancelled_meanwhile_gets_no_result),
    CASE(what_has_no_face_fails_at_once),
    CASE(in_a_small_gallery_nobody_waits),
    CASE(an_overloaded_worker_gives_the_best_alone),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
