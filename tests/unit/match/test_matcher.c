#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "matcher.h"

/* One matcher with the default set for all cases: loading is the slow part. */
static struct modelset *models;
static struct matcher *matcher;
static struct buffer photos[3];

enum { PERSON_1, PERSON_1_AGAIN, PERSON_2 };

static const char *const photo_names[] = {"person01_1.jpg", "person01_2.jpg", "person02_1.jpg"};

static const char *source_path(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", SOURCE_ROOT, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	struct error err = {0};
	char embedder[4096];
	char name[64];

	snprintf(embedder, sizeof(embedder), "%s/deploy/models/default/embedder", SOURCE_ROOT);
	assert_int_equal(modelset_load(&models, source_path("deploy/models/default/detector"), embedder, &err), 0);
	const struct matcher_settings settings = {
	    .models = models,
	    .limits = {.max_bytes = 1 << 20, .max_pixels = 1000000, .max_side = 4000},
	    .rules.min_threshold = 0.1,
	};
	assert_int_equal(matcher_new(&matcher, &settings, &err), 0);
	for (size_t i = 0; i < array_size(photos); i++) {
		snprintf(name, sizeof(name), "tests/data/people/%s", photo_names[i]);
		assert_int_equal(buffer_read_file(&photos[i], source_path(name), 1 << 20, &err), 0);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(photos); i++)
		buffer_finish(&photos[i]);
	matcher_free(matcher);
	modelset_free(models);
	return 0;
}

static struct job job_of(int a, int b)
{
	struct job job;

	job_init(&job, JOB_MATCH);
	job.image_a.data = photos[a].data;
	job.image_a.size = photos[a].size;
	job.image_b.data = photos[b].data;
	job.image_b.size = photos[b].size;
	return job;
}

static int match(const struct job *job, const struct context *ctx, struct reply *reply, struct error *err)
{
	reply_init(reply, "", job);
	timings_init(&reply->timings);
	return matcher_run(matcher, ctx, job, reply, err);
}

static void one_person_matches_and_two_do_not(void **state)
{
	(void)state;
	struct error err = {0};
	struct reply reply;
	struct job same = job_of(PERSON_1, PERSON_1_AGAIN);
	struct job other = job_of(PERSON_1, PERSON_2);

	assert_int_equal(match(&same, NULL, &reply, &err), 0);
	assert_true(reply.result.present && reply.result.has_match);
	assert_true(reply.result.matched);
	assert_true(reply.result.similarity > 0.7);
	assert_true(reply.result.face_a.present && reply.result.face_a.faces == 1 && reply.result.face_a.index == 0);
	assert_true(reply.result.face_a.box[2] > 20);
	for (int stage = STAGE_DECODE; stage <= STAGE_COMPARE; stage++)
		assert_true(reply.timings.ms[stage] >= 0);
	assert_string_equal(reply.model, models->embedder.name);

	assert_int_equal(match(&other, NULL, &reply, &err), 0);
	assert_false(reply.result.matched);
	assert_true(reply.result.similarity < 0.25);
}

static void thresholds_come_from_the_job_and_the_floor(void **state)
{
	(void)state;
	struct error err = {0};
	struct reply reply;
	struct job job = job_of(PERSON_1, PERSON_1_AGAIN);

	job.options.has_threshold = true;
	job.options.threshold = 0.999;
	assert_int_equal(match(&job, NULL, &reply, &err), 0);
	assert_false(reply.result.matched);
	assert_true(reply.result.threshold == 0.999);

	job.options.threshold = -1;
	assert_int_equal(match(&job, NULL, &reply, &err), 0);
	assert_true(reply.result.threshold == 0.1);

	job.options.has_threshold = false;
	job.options.has_far = true;
	job.options.far = 0.001;
	assert_int_equal(match(&job, NULL, &reply, &err), 0);
	assert_true(reply.result.threshold > 0.39 && reply.result.threshold < 0.41);

	job.options.far = 1e-9;
	assert_int_equal(match(&job, NULL, &reply, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_INVALID_JOB);
}

static void the_photograph_to_blame_is_named(void **state)
{
	(void)state;
	struct error err = {0};
	struct reply reply;
	struct job job = job_of(PERSON_1, PERSON_2);

	job.image_b.data = (const uint8_t *)"not a picture";
	job.image_b.size = 13;
	assert_int_equal(match(&job, NULL, &reply, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_IMAGE_UNSUPPORTED);
	assert_int_equal(err.image, 'b');
	assert_false(reply.result.present);
}

static void an_expired_job_is_not_computed(void **state)
{
	(void)state;
	struct error err = {0};
	struct reply reply;
	struct job job = job_of(PERSON_1, PERSON_2);
	struct context ctx = {.deadline_ms = clock_monotonic_ms() - 1};

	assert_int_equal(match(&job, &ctx, &reply, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_DEADLINE_EXCEEDED);
	assert_int_equal(err.image, 0);
	assert_true(reply.timings.ms[STAGE_DECODE] < 0);
}

static void people_are_refused_without_a_store(void **state)
{
	(void)state;
	struct error err = {0};
	struct reply reply;
	struct job job = job_of(PERSON_1, PERSON_2);

	job.op = JOB_SEARCH;
	assert_int_equal(match(&job, NULL, &reply, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	assert_non_null(strstr(err.text, "store.url"));
}

/* The second time, nothing is computed, and the answer is the same to the last bit. */
static void a_photograph_seen_before_is_not_computed_again(void **state)
{
	struct error err = {0};
	struct reply first, second;
	struct job job = job_of(PERSON_1, PERSON_1_AGAIN);
	struct metrics *metrics = metrics_new();
	struct matcher *with_cache;
	struct matcher_settings settings = {
	    .models = models,
	    .limits = {.max_bytes = 1 << 20, .max_pixels = 1000000, .max_side = 4000},
	    .rules.min_threshold = 0.1,
	};
	const struct photo_cache_settings photo_settings = {
	    .max_bytes = 1 << 20, .ttl_s = 60, .secret = "", .identity = "test", .metrics = metrics};

	(void)state;
	assert_int_equal(photo_cache_new(&settings.photos, &photo_settings, &err), 0);
	assert_int_equal(matcher_new(&with_cache, &settings, &err), 0);
	reply_init(&first, "", &job);
	timings_init(&first.timings);
	assert_int_equal(matcher_run(with_cache, NULL, &job, &first, &err), 0);
	reply_init(&second, "", &job);
	timings_init(&second.timings);
	assert_int_equal(matcher_run(with_cache, NULL, &job, &second, &err), 0);
	assert_true(first.timings.ms[STAGE_EMBED] >= 0);
	assert_true(second.timings.ms[STAGE_DECODE] < 0 && second.timings.ms[STAGE_EMBED] < 0);
	assert_true(second.timings.ms[STAGE_COMPARE] >= 0);
	assert_memory_equal(&first.result.similarity, &second.result.similarity, sizeof(double));
	assert_memory_equal(&first.result.face_b, &second.result.face_b, sizeof(first.result.face_b));

	job.image_b.data = (const uint8_t *)"not a picture";
	job.image_b.size = 13;
	assert_int_equal(matcher_run(with_cache, NULL, &job, &second, &err), -EBADMSG);
	assert_int_equal(err.image, 'b');
	matcher_free(with_cache);
	photo_cache_free(settings.photos);
	metrics_free(metrics);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_person_matches_and_two_do_not),
    cmocka_unit_test(thresholds_come_from_the_job_and_the_floor),
    cmocka_unit_test(the_photograph_to_blame_is_named),
    cmocka_unit_test(an_expired_job_is_not_computed),
    cmocka_unit_test(people_are_refused_without_a_store),
    cmocka_unit_test(a_photograph_seen_before_is_not_computed_again),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
