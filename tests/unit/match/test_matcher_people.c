/* What a matcher does with enrolled people, on real photographs and a store in a file. */
#include "run.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "people_rig.h"

static const struct quality_limits no_limits;
static struct people_rig rig;

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

static int set_up(void **state)
{
	(void)state;
	people_rig_set_up(&rig);
	people_rig_start(&rig, &no_limits, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	people_rig_tear_down(&rig);
	return 0;
}

static enum error_code run_command(enum job_op op, const char *user_id, int photo, unsigned number, struct reply *reply)
{
	const struct job job = people_rig_job(&rig, op, user_id, photo);

	return people_rig_run(&rig, &job, number, reply);
}

static enum error_code enroll(const char *user_id, int photo, unsigned number)
{
	struct reply reply;

	return run_command(JOB_ENROLL, user_id, photo, number, &reply);
}

static enum error_code unenroll(const char *user_id, unsigned number)
{
	struct reply reply;

	return run_command(JOB_UNENROLL, user_id, -1, number, &reply);
}

/* How many candidates a search finds, once the gallery is up with the store. */
static size_t search(int photo, struct reply *reply)
{
	people_rig_catch_up(&rig);
	assert_int_equal(run_command(JOB_SEARCH, "", photo, 999, reply), ERROR_NONE);
	assert_true(reply->result.has_candidates);
	return reply->result.candidate_count;
}

static void an_enrolled_face_is_verified(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(run_command(JOB_ENROLL, "ada", RIG_ADA, 1, &reply), ERROR_NONE);
	assert_true(reply.result.present && reply.result.face_a.present);
	assert_false(reply.result.has_match);
	assert_true(atomic_load(&rig.announced) > 0);
	assert_int_equal(run_command(JOB_VERIFY, "ada", RIG_ADA_AGAIN, 2, &reply), ERROR_NONE);
	assert_true(reply.result.has_match && reply.result.matched);
	assert_true(reply.result.similarity > 0.7);
	assert_false(reply.result.face_b.present);
	assert_int_equal(run_command(JOB_VERIFY, "ada", RIG_BOB, 3, &reply), ERROR_NONE);
	assert_false(reply.result.matched);
}

static void the_best_of_several_images_counts(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(enroll("both", RIG_BOB, 1), ERROR_NONE);
	assert_int_equal(enroll("both", RIG_ADA, 2), ERROR_NONE);
	assert_int_equal(run_command(JOB_VERIFY, "both", RIG_ADA, 3, &reply), ERROR_NONE);
	assert_true(reply.result.similarity > 0.99);
}

static void who_is_not_there_is_not_found(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(run_command(JOB_VERIFY, "nobody", RIG_ADA, 1, &reply), ERROR_USER_NOT_FOUND);
	/* Nothing was computed for it. */
	assert_true(reply.timings.ms[STAGE_DECODE] < 0);
	assert_int_equal(search(RIG_ADA, &reply), 0);
	assert_int_equal(unenroll("nobody", 2), ERROR_NONE);
}

static void a_search_finds_each_user_once(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(enroll("ada", RIG_ADA, 1), ERROR_NONE);
	assert_int_equal(enroll("ada", RIG_ADA_AGAIN, 2), ERROR_NONE);
	assert_int_equal(enroll("bob", RIG_BOB, 3), ERROR_NONE);
	assert_int_equal(search(RIG_ADA_AGAIN, &reply), 1);
	assert_string_equal(reply.result.candidates[0].user_id, "ada");
	assert_string_equal(reply.result.candidates[0].image_id, "00000000-0000-7000-8000-000000000002");
	assert_true(reply.result.candidates[0].similarity > 0.99);
	reply_finish(&reply);
}

static void what_was_unenrolled_is_gone(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(enroll("ada", RIG_ADA, 1), ERROR_NONE);
	assert_int_equal(run_command(JOB_VERIFY, "ada", RIG_ADA, 2, &reply), ERROR_NONE);
	assert_int_equal(unenroll("ada", 3), ERROR_NONE);
	assert_int_equal(run_command(JOB_VERIFY, "ada", RIG_ADA, 4, &reply), ERROR_USER_NOT_FOUND);
	assert_int_equal(search(RIG_ADA, &reply), 0);
	assert_int_equal(enroll("ada", RIG_ADA, 1), ERROR_SUPERSEDED); /* redelivered, late */
	assert_int_equal(run_command(JOB_VERIFY, "ada", RIG_ADA, 5, &reply), ERROR_USER_NOT_FOUND);
	assert_int_equal(enroll("ada", RIG_ADA, 6), ERROR_NONE);
	assert_int_equal(run_command(JOB_VERIFY, "ada", RIG_ADA, 7, &reply), ERROR_NONE);
}

/* Enrolment 1, unenrolment 2, enrolment 3: in whatever order and however often they come, 3 stands alone. */
static void every_order_ends_the_same(void **state)
{
	static const char *const orders[] = {"123", "132",  "213",   "231",    "312",
					     "321", "1123", "12131", "321321", "31213"};

	(void)state;
	for (size_t i = 0; i < array_size(orders); i++) {
		struct reply reply;
		char user[16];

		snprintf(user, sizeof(user), "user-%zu", i);
		for (const char *step = orders[i]; *step; step++) {
			unsigned number = (unsigned)(*step - '0');
			enum error_code code =
			    number == 2 ? unenroll(user, 2) : enroll(user, number == 1 ? RIG_BOB : RIG_ADA, number);
			assert_true(code == ERROR_NONE || (number == 1 && code == ERROR_SUPERSEDED));
		}
		assert_int_equal(run_command(JOB_VERIFY, user, RIG_ADA, 9, &reply), ERROR_NONE);
		assert_true(reply.result.similarity > 0.99);
		assert_int_equal(run_command(JOB_VERIFY, user, RIG_BOB, 9, &reply), ERROR_NONE);
		assert_true(reply.result.similarity < 0.5);
	}
}

static void bad_pictures_are_not_enrolled(void **state)
{
	static const struct quality_limits strict = {.min_eye_distance = 500};
	struct reply reply;

	(void)state;
	people_rig_stop(&rig);
	people_rig_start(&rig, &strict, 0);
	assert_int_equal(enroll("ada", RIG_ADA, 1), ERROR_LOW_QUALITY);
	assert_int_equal(run_command(JOB_VERIFY, "ada", RIG_ADA, 2, &reply), ERROR_USER_NOT_FOUND);
	/* The gate is for enrolments. */
	assert_int_equal(search(RIG_ADA, &reply), 0);
}

static void other_models_are_never_compared(void **state)
{
	struct reply reply;
	struct store *store;
	struct error err = {0};

	(void)state;
	assert_int_equal(store_open(&store, &rig.scratch.settings, &err), 0);
	scratch_store_enroll(store, "default", "ada", 1, "another-model", rig.models->embedder.dimension);
	store_close(store);
	assert_int_equal(run_command(JOB_VERIFY, "ada", RIG_ADA, 2, &reply), ERROR_MODEL_MISMATCH);
	registry_hear(rig.registry, 1);
	atomic_store(&rig.announced, 1);
	people_rig_catch_up(&rig);
	assert_int_equal(run_command(JOB_SEARCH, "", RIG_ADA, 3, &reply), ERROR_MODEL_MISMATCH);
}

/* Somebody enrolled elsewhere a moment ago: the gallery is behind, no other model is meant. */
static void a_gallery_that_is_behind_finds_nobody_yet(void **state)
{
	struct reply reply;
	struct store *store;
	struct error err = {0};

	(void)state;
	assert_int_equal(store_open(&store, &rig.scratch.settings, &err), 0);
	scratch_store_enroll(store, "default", "ada", 1, rig.models->model_id, rig.models->embedder.dimension);
	store_close(store);
	assert_int_equal(run_command(JOB_SEARCH, "", RIG_ADA, 2, &reply), ERROR_NONE);
}

/* Looks at the photograph first and then runs the job on what was found. */
static enum error_code run_in_halves(enum job_op op, int photo, unsigned number, struct reply *reply)
{
	struct job job = people_rig_job(&rig, op, "ada", photo);
	struct sightings *seen = calloc(1, sizeof(*seen));
	struct error err = {0};
	char id[UUID_SIZE];

	assert_non_null(seen);
	assert_int_equal(matcher_see(rig.matcher, NULL, &job, seen), 0);
	snprintf(id, sizeof(id), "00000000-0000-7000-8000-%012x", number);
	reply_init(reply, id, &job);
	reply->accepted_at_ms = 1000 + number;
	/* Nothing is left to be looked at. */
	job.image_a = (struct job_image){.data = (const uint8_t *)"", .size = 0};
	int r = matcher_run_seen(rig.matcher, NULL, &job, seen, reply, &err);
	sightings_finish(seen);
	free(seen);
	return r < 0 ? err.code : ERROR_NONE;
}

static void a_job_in_two_halves_ends_the_same(void **state)
{
	struct reply whole, halves;

	(void)state;
	assert_int_equal(run_in_halves(JOB_ENROLL, RIG_ADA, 1, &halves), ERROR_NONE);
	people_rig_catch_up(&rig);
	assert_int_equal(run_in_halves(JOB_VERIFY, RIG_ADA_AGAIN, 2, &halves), ERROR_NONE);
	assert_int_equal(run_command(JOB_VERIFY, "ada", RIG_ADA_AGAIN, 3, &whole), ERROR_NONE);
	assert_true(halves.result.matched && halves.result.similarity == whole.result.similarity);
	assert_int_equal(run_in_halves(JOB_SEARCH, RIG_ADA_AGAIN, 4, &halves), ERROR_NONE);
	assert_int_equal(halves.result.candidate_count, 1);
	assert_true(halves.result.candidates[0].similarity == whole.result.similarity);
	reply_finish(&halves);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(an_enrolled_face_is_verified),      CASE(the_best_of_several_images_counts),
    CASE(who_is_not_there_is_not_found),     CASE(a_search_finds_each_user_once),
    CASE(what_was_unenrolled_is_gone),       CASE(every_order_ends_the_same),
    CASE(bad_pictures_are_not_enrolled),     CASE(other_models_are_never_compared),
    CASE(bad_pictures_are_not_enrolled),     CASE(a_gallery_that_is_behind_finds_nobody_yet),
    CASE(a_job_in_two_halves_ends_the_same),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
