#include "run.h"

#include <stdio.h>
#include <string.h>

#include "cli/fleet/parked.h"
#include "job/job.h"
#include "job/reply.h"

static const uint8_t picture[] = "not really a picture";

static struct amqp_delivery delivery_of(const char *type, enum encoding encoding, const struct buffer *body)
{
	struct amqp_delivery delivery = {.body = body->data, .body_size = body->size};

	strcpy(delivery.envelope.type, type);
	strcpy(delivery.envelope.content_type, encoding_content_type(encoding));
	return delivery;
}

static void expect(const struct amqp_delivery *delivery, const char *collection, bool about, unsigned unreadable)
{
	struct parked_search search = {.user_id = "ann", .collection = collection};

	assert_int_equal(parked_is_about(&search, delivery), about);
	assert_int_equal(search.unreadable, unreadable);
}

static void expect_job(const char *user_id, const char *of_collection, const char *collection, bool about)
{
	for (enum encoding encoding = ENCODING_JSON; encoding <= ENCODING_MSGPACK; encoding++) {
		struct buffer body = {0};
		struct error err = {0};
		struct job job;
		job_init(&job, JOB_VERIFY);
		job.user_id = user_id;
		job.collection = of_collection;
		job.image_a = (struct job_image){.data = picture, .size = sizeof(picture)};
		assert_int_equal(job_encode(&job, encoding, &body, &err), 0);
		struct amqp_delivery delivery = delivery_of(ENVELOPE_TYPE_JOB, encoding, &body);
		expect(&delivery, collection, about, 0);
		buffer_finish(&body);
	}
}

static void test_jobs(void **state)
{
	(void)state;
	expect_job("ann", "default", NULL, true);
	expect_job("ann", "staff", NULL, true);
	expect_job("ann", "staff", "staff", true);
	expect_job("ann", "default", "staff", false);
	expect_job("anna", "default", NULL, false);
	expect_job("ANN", "default", NULL, false);
}

static void test_replies(void **state)
{
	struct buffer body = {0};
	struct reply reply;

	(void)state;
	reply_init(&reply, "01930000-0000-7000-8000-000000000001", NULL);
	reply.state = TASK_SUCCEEDED;
	strcpy(reply.user_id, "ann");
	strcpy(reply.collection, "staff");
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &body), 0);
	struct amqp_delivery delivery = delivery_of(ENVELOPE_TYPE_REPLY, ENCODING_JSON, &body);
	expect(&delivery, NULL, true, 0);
	expect(&delivery, "staff", true, 0);
	expect(&delivery, "default", false, 0);
	/* What it says it is decides how it is read. */
	strcpy(delivery.envelope.type, ENVELOPE_TYPE_EVENT);
	expect(&delivery, NULL, false, 1);
	buffer_finish(&body);
}

static void test_candidates(void **state)
{
	struct reply_candidate candidates[] = {{.user_id = "bob"}, {.user_id = "ann"}};
	struct buffer body = {0};
	struct reply reply;

	(void)state;
	reply_init(&reply, "01930000-0000-7000-8000-000000000001", NULL);
	reply.state = TASK_SUCCEEDED;
	strcpy(reply.collection, "staff");
	reply.result = (struct reply_result){
	    .present = true, .has_candidates = true, .candidates = candidates, .candidate_count = 2};
	assert_int_equal(reply_encode(&reply, ENCODING_MSGPACK, &body), 0);
	struct amqp_delivery delivery = delivery_of(ENVELOPE_TYPE_REPLY, ENCODING_MSGPACK, &body);
	expect(&delivery, NULL, true, 0);
	expect(&delivery, "staff", true, 0);
	expect(&delivery, "default", false, 0);
	buffer_clear(&body);
	strcpy(candidates[1].user_id, "anna");
	assert_int_equal(reply_encode(&reply, ENCODING_MSGPACK, &body), 0);
	delivery = delivery_of(ENVELOPE_TYPE_REPLY, ENCODING_MSGPACK, &body);
	expect(&delivery, NULL, false, 0);
	buffer_finish(&body);
}

static struct amqp_delivery json_job(struct buffer *body, const char *text)
{
	buffer_clear(body);
	assert_int_equal(buffer_append(body, text, strlen(text)), 0);
	return delivery_of(ENVELOPE_TYPE_JOB, ENCODING_JSON, body);
}

static void test_jobs_that_are_no_good(void **state)
{
	struct buffer body = {0};

	(void)state;
	struct amqp_delivery delivery =
	    json_job(&body, "{\"op\":\"verify\",\"user_id\":\"ann\",\"collection\":\"staff\"}");
	expect(&delivery, NULL, true, 0);
	expect(&delivery, "staff", false, 1);
	delivery = json_job(&body, "{\"op\":\"verify\",\"user_id\":\"bob\"}");
	expect(&delivery, NULL, false, 0);
	delivery = json_job(&body, "{\"op\":\"verify\",\"user_id\":\"ann\"");
	expect(&delivery, NULL, false, 1);
	delivery = json_job(&body, "");
	expect(&delivery, NULL, false, 1);
	delivery = json_job(&body, "{}");
	strcpy(delivery.envelope.content_type, "text/plain");
	expect(&delivery, NULL, false, 1);
	buffer_finish(&body);
}

static void test_a_body_that_was_not_read(void **state)
{
	struct buffer nothing = {0};
	struct amqp_delivery delivery = delivery_of(ENVELOPE_TYPE_JOB, ENCODING_JSON, &nothing);

	(void)state;
	delivery.too_large = true;
	expect(&delivery, NULL, false, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_jobs),
    cmocka_unit_test(test_replies),
    cmocka_unit_test(test_candidates),
    cmocka_unit_test(test_jobs_that_are_no_good),
    cmocka_unit_test(test_a_body_that_was_not_read),
};

RUN_TESTS(tests)
