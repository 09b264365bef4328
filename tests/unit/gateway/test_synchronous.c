#include "gateway/synchronous.h"

#include <errno.h>

#include "gateway/job_body.h"
#include "gateway/problems.h"
#include "run.h"

static const uint8_t photo[] = {0xff, 0xd8};

static struct job_body match_of_bytes(void)
{
	struct job_body body = {0};

	job_init(&body.job, JOB_MATCH);
	body.job.image_a = (struct job_image){.data = photo, .size = sizeof(photo)};
	body.job.image_b = body.job.image_a;
	return body;
}

static void expect_refused(const struct job_body *body, const char *field)
{
	struct http_problem problem;

	assert_int_equal(synchronous_check(body, &problem), -ENOTSUP);
	assert_ptr_equal(problem.kind, &problem_not_in_this_mode);
	assert_string_equal(problem.field, field);
}

static void test_bytes_are_taken(void **state)
{
	struct job_body body = match_of_bytes();
	struct http_problem problem;

	(void)state;
	assert_int_equal(synchronous_check(&body, &problem), 0);
}

static void test_what_no_message_could_hold(void **state)
{
	struct job_body body = match_of_bytes();
	struct http_problem problem;

	(void)state;
	body.job.image_a.size = JOB_MAX_ENCODED_BYTES - body.job.image_b.size;
	assert_int_equal(synchronous_check(&body, &problem), 0);
	body.job.image_b.size++;
	assert_int_equal(synchronous_check(&body, &problem), -EMSGSIZE);
	assert_ptr_equal(problem.kind, &problem_image_too_large);
	body.job.image_a.size = SIZE_MAX;
	assert_int_equal(synchronous_check(&body, &problem), -EMSGSIZE);
}

static void test_what_takes_more_is_refused(void **state)
{
	struct job_body body = match_of_bytes();

	(void)state;
	body.job.image_a = (struct job_image){.url = "https://a.example/a.jpg"};
	expect_refused(&body, "image_a.url");
	body = match_of_bytes();
	body.job.image_b = (struct job_image){.url = "https://a.example/b.jpg"};
	expect_refused(&body, "image_b.url");
	body = match_of_bytes();
	body.job.callback_url = "https://a.example/hook";
	expect_refused(&body, "callback");
	body = match_of_bytes();
	body.when = (struct job_when){.has_delay = true, .delay_ms = 1000};
	expect_refused(&body, "delay_ms");
	body.when = (struct job_when){.has_run_at = true, .run_at_ms = 1};
	expect_refused(&body, "run_at");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_bytes_are_taken),
    cmocka_unit_test(test_what_no_message_could_hold),
    cmocka_unit_test(test_what_takes_more_is_refused),
};

RUN_TESTS(tests)
