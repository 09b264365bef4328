#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "task.h"

#define ID "01890a5d-ac96-774b-bcce-b302099a8057"

static const char good[] = "{\"op\":\"match\",\"image_a\":{\"data\":\"AAAA\"},\"image_b\":{\"data\":\"BBBB\"},"
			   "\"reference\":\"row 7\",\"scene\":\"realtime\"}";

/* A delivery as the link would hand it over. */
static struct amqp_delivery *deliver(const char *id, const char *type, const char *content_type, const char *body)
{
	struct amqp_delivery *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	snprintf(d->envelope.message_id, sizeof(d->envelope.message_id), "%s", id);
	snprintf(d->envelope.type, sizeof(d->envelope.type), "%s", type);
	snprintf(d->envelope.content_type, sizeof(d->envelope.content_type), "%s", content_type);
	d->body = (uint8_t *)strdup(body);
	d->body_size = strlen(body);
	d->received_ns = clock_monotonic_ns();
	d->received_unix_ms = clock_unix_ms();
	return d;
}

static struct task *new_task(struct amqp_delivery *d)
{
	struct task *task = task_new(d, NULL, LANE_BATCH);

	assert_non_null(task);
	return task;
}

static void a_good_job_is_read(void **state)
{
	(void)state;
	struct error err = {0};
	struct task *task = new_task(deliver(ID, ENVELOPE_TYPE_JOB, "application/json", good));

	assert_int_equal(task_decode(task, "w1", &err), 0);
	assert_string_equal(task->reply.task_id, ID);
	assert_string_equal(task->reply.reference, "row 7");
	assert_string_equal(task->reply.worker, "w1");
	assert_string_equal(task->scene.name, "realtime");
	assert_int_equal(task->attempt, 1);
	assert_false(task_needs_fetch(task));
	task_free(task);
}

static void deadlines_are_counted_from_acceptance(void **state)
{
	(void)state;
	struct error err = {0};
	struct amqp_delivery *d = deliver(ID, ENVELOPE_TYPE_JOB, "application/json", good);
	d->envelope.accepted_ms = d->received_unix_ms - 1000;
	struct task *task = new_task(d);

	/* realtime allows 300 ms end to end: a second after acceptance it is over */
	assert_int_equal(task_decode(task, "w1", &err), 0);
	assert_true(task->end_to_end_unix_ms == d->envelope.accepted_ms + 300);
	assert_true(context_check(&task->ctx, "decode", &err) < 0);
	assert_int_equal(err.code, ERROR_DEADLINE_EXCEEDED);
	assert_true(task_age_ms(task) >= 1000);
	task_free(task);
}

/* A hostile header: the latest there is, and not none at all. */
static void acceptance_at_the_end_of_time_has_a_deadline(void **state)
{
	(void)state;
	struct error err = {0};
	struct amqp_delivery *d = deliver(ID, ENVELOPE_TYPE_JOB, "application/json", good);

	d->envelope.accepted_ms = INT64_MAX - 1;
	struct task *task = new_task(d);
	assert_int_equal(task_decode(task, "w1", &err), 0);
	assert_true(task->end_to_end_unix_ms == INT64_MAX);
	assert_true(task->ctx.deadline_ms > clock_monotonic_ms());
	task_free(task);
}

static void a_deadline_in_the_header_wins(void **state)
{
	(void)state;
	struct error err = {0};
	struct amqp_delivery *d = deliver(ID, ENVELOPE_TYPE_JOB, "application/json", good);
	d->envelope.accepted_ms = d->received_unix_ms - 1000;
	d->envelope.deadline_ms = d->received_unix_ms + 60000;
	struct task *task = new_task(d);

	assert_int_equal(task_decode(task, "w1", &err), 0);
	assert_int_equal(context_check(&task->ctx, "decode", &err), 0);
	assert_in_range(context_remaining_ms(&task->ctx, 1000000), 50000, 60000);
	task_free(task);
}

static void an_attempt_has_its_own_limit(void **state)
{
	(void)state;
	struct error err = {0};
	struct task *task = new_task(deliver(
	    ID, ENVELOPE_TYPE_JOB, "application/json",
	    "{\"op\":\"match\",\"image_a\":{\"data\":\"AAAA\"},\"image_b\":{\"url\":\"https://example.org/b.jpg\"}}"));

	assert_int_equal(task_decode(task, "w1", &err), 0);
	assert_true(task_needs_fetch(task));
	assert_int_equal(task->ctx.attempt_deadline_ms, 0);
	int64_t before_ms = clock_monotonic_ms();
	task_begin_attempt(task);
	assert_in_range(task->ctx.attempt_deadline_ms, before_ms + 2000, clock_monotonic_ms() + 2000);
	task_free(task);
}

static void what_was_delivered_twice_before_is_suspect(void **state)
{
	(void)state;
	struct amqp_delivery *d = deliver(ID, ENVELOPE_TYPE_JOB, "application/json", good);
	struct task *task = new_task(d);

	d->envelope.delivery_count = 1;
	assert_false(task_is_suspect(task));
	d->envelope.delivery_count = 2;
	assert_true(task_is_suspect(task));
	d->envelope.delivery_count = 0;
	d->envelope.suspect = true;
	assert_true(task_is_suspect(task));
	task_free(task);
}

/* Every refusal can be answered: under the id that came, or under a new one. */
static void refusals_name_what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *id, *type, *content_type, *body, *text;
		bool keeps_id;
	} cases[] = {
	    {"", ENVELOPE_TYPE_JOB, "application/json", good, "message_id: missing", false},
	    {"job-1", ENVELOPE_TYPE_JOB, "application/json", good, "message_id: \"job-1\"", false},
	    {ID, "facefleet.job.v2", "application/json", good, "type: \"facefleet.job.v2\"", true},
	    {ID, ENVELOPE_TYPE_JOB, "text/plain", good, "content_type: \"text/plain\"", true},
	    {ID, ENVELOPE_TYPE_JOB, "application/json", "", "", true},
	    {ID, ENVELOPE_TYPE_JOB, "application/json", "{\"op\":\"dance\"}", "op", true},
	    {ID, ENVELOPE_TYPE_JOB, "application/json",
	     "{\"op\":\"match\",\"image_a\":{\"data\":\"AAAA\"},\"image_b\":{\"data\":\"BBBB\"},\"scene\":\"gala\"}",
	     "scene: \"gala\"", true},
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct error err = {0};
		struct task *task = new_task(deliver(cases[i].id, cases[i].type, cases[i].content_type, cases[i].body));
		assert_int_equal(task_decode(task, "w1", &err), -EBADMSG);
		assert_int_equal(err.code, ERROR_INVALID_JOB);
		assert_non_null(strstr(err.text, cases[i].text));
		assert_true(uuid_is_valid(task->reply.task_id));
		assert_int_equal(strcmp(task->reply.task_id, ID) == 0, cases[i].keeps_id);
		assert_string_equal(task->scene.name, "batch");
		task_free(task);
	}
}

static void an_oversized_message_is_refused_unread(void **state)
{
	(void)state;
	struct error err = {0};
	struct amqp_delivery *d = deliver(ID, ENVELOPE_TYPE_JOB, "application/json", good);
	d->too_large = true;
	struct task *task = new_task(d);

	assert_true(task_is_oversized(task));
	assert_int_equal(task_decode(task, "w1", &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_INVALID_JOB);
	assert_non_null(strstr(err.text, "body: larger than"));
	assert_string_equal(task->reply.task_id, ID);
	task_free(task);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_good_job_is_read),
    cmocka_unit_test(deadlines_are_counted_from_acceptance),
    cmocka_unit_test(acceptance_at_the_end_of_time_has_a_deadline),
    cmocka_unit_test(a_deadline_in_the_header_wins),
    cmocka_unit_test(an_attempt_has_its_own_limit),
    cmocka_unit_test(what_was_delivered_twice_before_is_suspect),
    cmocka_unit_test(refusals_name_what_is_wrong),
    cmocka_unit_test(an_oversized_message_is_refused_unread),
};
RUN_TESTS(tests)
