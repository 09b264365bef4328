#include "parked/replay_message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "job/job.h"
#include "run.h"

#define OLD_ID "01930000-0000-7000-8000-000000000001"
#define NOW_MS 1764108000000
#define DAY_MS (24 * 60 * 60 * 1000)

static const uint8_t picture[] = "not really a picture";

static void fill_envelope(struct envelope *e, const char *type)
{
	strcpy(e->type, type);
	strcpy(e->content_type, encoding_content_type(ENCODING_MSGPACK));
	strcpy(e->message_id, OLD_ID);
	strcpy(e->reply_to, "answers");
	strcpy(e->correlation_id, "c");
	strcpy(e->owner, "key");
	strcpy(e->reason, "because");
	strcpy(e->origin, "facefleet.jobs.batch");
	e->accepted_ms = 1;
	e->deadline_ms = 2;
	e->attempt = 2;
}

static struct amqp_delivery parked_job(struct buffer *body, const char *scene)
{
	struct amqp_delivery parked = {0};
	struct error err = {0};
	struct job job;

	job_init(&job, JOB_VERIFY);
	job.user_id = "ann";
	job.scene = scene;
	job.image_a = (struct job_image){.data = picture, .size = sizeof(picture)};
	assert_int_equal(job_encode(&job, ENCODING_MSGPACK, body, &err), 0);
	fill_envelope(&parked.envelope, ENVELOPE_TYPE_JOB);
	parked.body = body->data;
	parked.body_size = body->size;
	return parked;
}

static void assert_refused(const struct amqp_delivery *parked)
{
	struct amqp_message *message = NULL;
	struct error err = {0};

	assert_int_equal(replay_message_new(&message, parked, false, NOW_MS, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_INVALID_JOB);
	assert_null(message);
}

static void test_a_job_begins_anew(void **state)
{
	struct buffer body = {0};
	struct amqp_message *message;
	struct error err = {0};

	(void)state;
	struct amqp_delivery parked = parked_job(&body, "batch");
	assert_int_equal(replay_message_new(&message, &parked, false, NOW_MS, &err), 0);
	const struct envelope *e = &message->envelope;
	assert_string_equal(message->exchange, "facefleet.jobs");
	assert_string_equal(message->routing_key, "batch");
	assert_true(message->mandatory);
	assert_true(uuid_is_valid(e->message_id));
	assert_string_not_equal(e->message_id, OLD_ID);
	assert_string_equal(e->type, ENVELOPE_TYPE_JOB);
	assert_string_equal(e->reply_to, "answers");
	assert_string_equal(e->correlation_id, "c");
	assert_string_equal(e->owner, "key");
	assert_string_equal(e->reason, "");
	assert_string_equal(e->origin, "");
	assert_int_equal(e->attempt, 1);
	assert_int_equal(e->accepted_ms, NOW_MS);
	assert_int_equal(e->deadline_ms, NOW_MS + DAY_MS);
	assert_int_equal(message->body_size, body.size);
	assert_memory_equal(message->body, body.data, body.size);
	amqp_message_free(message);
	buffer_finish(&body);
}

static void test_the_same_id_on_the_lane_of_its_scene(void **state)
{
	struct buffer body = {0};
	struct amqp_message *message;
	struct error err = {0};

	(void)state;
	struct amqp_delivery parked = parked_job(&body, "realtime");
	assert_int_equal(replay_message_new(&message, &parked, true, NOW_MS, &err), 0);
	assert_string_equal(message->routing_key, "realtime");
	assert_string_equal(message->envelope.message_id, OLD_ID);
	assert_int_equal(message->envelope.deadline_ms, NOW_MS + 300);
	amqp_message_free(message);
	buffer_finish(&body);
}

static void test_what_would_only_come_back_stays(void **state)
{
	struct buffer body = {0};

	(void)state;
	struct amqp_delivery parked = parked_job(&body, "batch");
	parked.body_size--;
	assert_refused(&parked);
	parked.body_size = 0;
	assert_refused(&parked);
	parked = parked_job(&body, "batch");
	strcpy(parked.envelope.content_type, "text/plain");
	assert_refused(&parked);
	buffer_clear(&body);
	parked = parked_job(&body, "batch");
	parked.too_large = true;
	assert_refused(&parked);
	parked.too_large = false;
	strcpy(parked.envelope.type, ENVELOPE_TYPE_EVENT);
	assert_refused(&parked);
	buffer_finish(&body);
}

static void test_a_scene_that_is_not_known(void **state)
{
	static char text[] = "{\"op\":\"verify\",\"user_id\":\"ann\",\"scene\":\"tomorrow\","
			     "\"image_a\":{\"url\":\"https://example.com/a.jpg\"}}";
	struct amqp_delivery parked = {.body = (uint8_t *)text, .body_size = sizeof(text) - 1};

	(void)state;
	fill_envelope(&parked.envelope, ENVELOPE_TYPE_JOB);
	strcpy(parked.envelope.content_type, encoding_content_type(ENCODING_JSON));
	assert_refused(&parked);
}

static void test_a_callback_goes_to_its_queue(void **state)
{
	struct amqp_delivery parked = {.body = (uint8_t *)"{}", .body_size = 2};
	struct amqp_message *message;
	struct error err = {0};

	(void)state;
	fill_envelope(&parked.envelope, ENVELOPE_TYPE_REPLY);
	assert_refused(&parked);
	strcpy(parked.envelope.callback_url, "https://example.com/");
	assert_int_equal(replay_message_new(&message, &parked, false, NOW_MS, &err), 0);
	assert_string_equal(message->exchange, "");
	assert_string_equal(message->routing_key, "facefleet.callbacks");
	/* The webhook's id, by which who gets it twice knows it. */
	assert_string_equal(message->envelope.message_id, OLD_ID);
	assert_string_equal(message->envelope.callback_url, "https://example.com/");
	assert_string_equal(message->envelope.reason, "");
	assert_int_equal(message->envelope.attempt, 0);
	amqp_message_free(message);
}

static void test_what_the_tracker_parked_goes_to_the_tracker(void **state)
{
	struct amqp_delivery parked = {.body = (uint8_t *)"{}", .body_size = 2};
	struct amqp_message *message;
	struct error err = {0};

	(void)state;
	fill_envelope(&parked.envelope, ENVELOPE_TYPE_EVENT);
	assert_refused(&parked);
	strcpy(parked.envelope.origin, "facefleet.tracker");
	assert_int_equal(replay_message_new(&message, &parked, false, NOW_MS, &err), 0);
	assert_string_equal(message->exchange, "");
	assert_string_equal(message->routing_key, "facefleet.tracker");
	assert_string_equal(message->envelope.message_id, OLD_ID);
	assert_int_equal(message->envelope.attempt, 2);
	amqp_message_free(message);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_job_begins_anew),
    cmocka_unit_test(test_the_same_id_on_the_lane_of_its_scene),
    cmocka_unit_test(test_what_would_only_come_back_stays),
    cmocka_unit_test(test_a_scene_that_is_not_known),
    cmocka_unit_test(test_a_callback_goes_to_its_queue),
    cmocka_unit_test(test_what_the_tracker_parked_goes_to_the_tracker),
};

RUN_TESTS(tests)
