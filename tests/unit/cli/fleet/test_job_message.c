#include "run.h"

#include <string.h>

#include "base/clock.h"
#include "cli/fleet/job_message.h"

static const uint8_t picture[] = "not really a picture";

static struct amqp_message *make(const char *scene)
{
	struct amqp_message *message;
	struct error err = {0};
	struct job job;

	job_init(&job, JOB_MATCH);
	job.scene = scene;
	job.reference = "7";
	job.image_a = (struct job_image){.data = picture, .size = sizeof(picture)};
	job.image_b = (struct job_image){.url = "https://example.com/b.jpg"};
	if (job_message_new(&message, &job, &err) < 0)
		fail_msg("%s", err.text);
	return message;
}

static void test_addressed_and_described(void **state)
{
	struct amqp_message *message = make("realtime");
	const struct envelope *envelope = &message->envelope;
	struct trace trace;
	struct error err = {0};
	struct job job;

	(void)state;
	assert_string_equal(message->exchange, "facefleet.jobs");
	assert_string_equal(message->routing_key, "realtime");
	assert_true(message->mandatory);
	assert_true(uuid_is_valid(envelope->message_id));
	assert_int_equal(envelope->message_id[14], '7');
	assert_string_equal(envelope->type, "facefleet.job.v1");
	assert_string_equal(envelope->content_type, "application/msgpack");
	assert_int_equal(envelope->attempt, 1);
	assert_int_equal(trace_continue(&trace, envelope->traceparent), 0);
	assert_int_equal(job_decode(&job, ENCODING_MSGPACK, message->body, message->body_size, &err), 0);
	assert_string_equal(job.reference, "7");
	assert_int_equal(job.image_a.size, sizeof(picture));
	assert_memory_equal(job.image_a.data, picture, sizeof(picture));
	assert_string_equal(job.image_b.url, "https://example.com/b.jpg");
	job_finish(&job);
	amqp_message_free(message);
}

static void test_the_deadline_runs_from_the_acceptance(void **state)
{
	struct amqp_message *message = make("realtime");
	int64_t before = clock_unix_ms();

	(void)state;
	job_message_accept(message, "realtime", "answers");
	assert_true(message->envelope.accepted_ms >= before);
	assert_int_equal(message->envelope.deadline_ms - message->envelope.accepted_ms, 300);
	assert_string_equal(message->envelope.reply_to, "answers");
	assert_string_equal(message->envelope.correlation_id, message->envelope.message_id);
	amqp_message_free(message);
}

static void test_nobody_asked(void **state)
{
	struct amqp_message *message = make("batch");

	(void)state;
	job_message_accept(message, "batch", "");
	assert_string_equal(message->envelope.reply_to, "");
	assert_string_equal(message->envelope.correlation_id, "");
	amqp_message_free(message);
}

static void assert_refused(const struct job *job, enum error_code code)
{
	struct amqp_message *message;
	struct error err = {0};

	assert_true(job_message_new(&message, job, &err) < 0);
	assert_int_equal(err.code, code);
}

static void test_refusals(void **state)
{
	static uint8_t large[7 << 20];
	struct job job;

	(void)state;
	job_init(&job, JOB_MATCH);
	job.image_a = job.image_b = (struct job_image){.data = large, .size = sizeof(large)};
	assert_refused(&job, ERROR_IMAGE_TOO_LARGE);
	job.image_a = job.image_b = (struct job_image){.data = picture, .size = sizeof(picture)};
	job.scene = "tomorrow";
	assert_refused(&job, ERROR_INVALID_JOB);
}

static void test_patience_is_longer_than_the_scene(void **state)
{
	(void)state;
	assert_true(job_message_patience_ms("realtime") > 300);
	assert_true(job_message_patience_ms("batch") > INT64_C(24) * 3600 * 1000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_addressed_and_described),
    cmocka_unit_test(test_the_deadline_runs_from_the_acceptance),
    cmocka_unit_test(test_nobody_asked),
    cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_patience_is_longer_than_the_scene),
};

RUN_TESTS(tests)
