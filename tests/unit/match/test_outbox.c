#include "run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "obs/log.h"
#include "outbox.h"

#define ID "01890a5d-ac96-774b-bcce-b302099a8057"
#define WAIT_MS 10000

/*
 * Stands in for the link: records what is published and settled, and lets a case choose each
 * outcome. The linker takes these instead of the ones in common/amqp.
 */

#define MAX_RECORDS 8

static struct published {
	struct amqp_message *message;
	amqp_outcome_fn *done;
	void *arg;
} published[MAX_RECORDS];
static int published_count;
static int acked;
static int requeued;
static int held; /* +1 for each hold, -1 for each release */

int amqp_link_publish(struct amqp_link *link, struct amqp_message *message, amqp_outcome_fn *done, void *arg)
{
	(void)link;
	assert_true(published_count < MAX_RECORDS);
	published[published_count++] = (struct published){message, done, arg};
	return 0;
}

void amqp_link_settle(struct amqp_link *link, struct amqp_tag tag, enum amqp_settlement settlement)
{
	(void)link;
	assert_int_equal(tag.delivery, 42);
	if (settlement == AMQP_ACK)
		acked++;
	else
		requeued++;
}

static void answer(int index, enum amqp_outcome outcome)
{
	struct published p = published[index];

	if (p.done)
		p.done(p.arg, outcome, p.message);
}

static void hold(void *arg, bool wanted)
{
	(void)arg;
	held += wanted ? 1 : -1;
}

struct fixture {
	struct metrics *metrics;
	struct meters meters;
	struct roster *roster;
	struct outbox *outbox;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	published_count = acked = requeued = held = 0;
	f->metrics = metrics_new();
	meters_init(&f->meters, f->metrics);
	f->roster = roster_new();
	const struct outbox_settings settings = {
	    .roster = f->roster, .meters = &f->meters, .worker = "w1", .hold = hold, .arg = f};
	f->outbox = outbox_new(&settings);
	log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < published_count; i++)
		amqp_message_free(published[i].message);
	outbox_free(f->outbox);
	roster_free(f->roster);
	metrics_free(f->metrics);
	free(f);
	return 0;
}

static struct task *new_task(struct fixture *f, const char *reply_to, const char *callback)
{
	struct amqp_delivery *d = calloc(1, sizeof(*d));
	struct error err = {0};
	char body[512];

	assert_non_null(d);
	snprintf(body, sizeof(body),
		 "{\"op\":\"match\",\"image_a\":{\"data\":\"AAAA\"},\"image_b\":{\"data\":\"BBBB\"}%s%s%s}",
		 callback ? ",\"callback\":{\"url\":\"" : "", callback ? callback : "", callback ? "\"}" : "");
	d->tag.delivery = 42;
	strcpy(d->envelope.message_id, ID);
	strcpy(d->envelope.type, ENVELOPE_TYPE_JOB);
	strcpy(d->envelope.content_type, "application/json");
	strcpy(d->envelope.correlation_id, "c-1");
	strcpy(d->envelope.reply_to, reply_to);
	d->body = (uint8_t *)strdup(body);
	d->body_size = strlen(body);
	d->received_ns = clock_monotonic_ns();
	d->received_unix_ms = clock_unix_ms();
	struct task *task = task_new(d, NULL, LANE_BATCH);
	assert_non_null(task);
	roster_add(f->roster, task);
	assert_int_equal(task_decode(task, "w1", &err), 0);
	task->reply.state = TASK_FINAL_FAILED;
	error_set(&task->reply.error, ERROR_NO_FACE, "no face");
	return task;
}

/* As it stands in the store: who did it, when, and how long it took. */
static void a_reply_given_again_stays_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct task *task = new_task(f, "", NULL);
	struct reply recorded = task->reply;
	struct error err = {0};
	struct reply reply;

	strcpy(recorded.worker, "another");
	recorded.finished_at_ms = 1234;
	outbox_reply_again(f->outbox, task, &recorded);
	assert_int_equal(published_count, 1);
	const struct amqp_message *m = published[0].message;
	assert_int_equal(reply_decode(&reply, ENCODING_JSON, m->body, m->body_size, &err), 0);
	assert_string_equal(reply.worker, "another");
	assert_int_equal(reply.finished_at_ms, 1234);
	assert_true(reply.timings.ms[STAGE_TOTAL] < 0);
	assert_int_equal(meters_finished_count(&f->meters), 0);
	answer(0, AMQP_CONFIRMED);
	assert_int_equal(acked, 1);
}

static void a_job_is_acked_when_its_reply_is_confirmed(void **state)
{
	struct fixture *f = *state;

	outbox_reply(f->outbox, new_task(f, "", NULL));
	assert_int_equal(published_count, 1);
	const struct amqp_message *m = published[0].message;
	assert_string_equal(m->exchange, TOPOLOGY_REPLIES_EXCHANGE);
	assert_string_equal(m->routing_key, "task.batch.final_failed.quiet");
	assert_string_equal(m->envelope.message_id, ID);
	assert_string_equal(m->envelope.type, ENVELOPE_TYPE_REPLY);
	assert_string_equal(m->envelope.correlation_id, "c-1");
	assert_int_equal(m->envelope.attempt, 0);
	assert_false(m->mandatory);
	assert_int_equal(acked, 0);
	answer(0, AMQP_CONFIRMED);
	assert_int_equal(acked, 1);
	assert_int_equal(roster_count(f->roster), 0);
}

static void a_requester_that_left_blocks_nobody(void **state)
{
	struct fixture *f = *state;

	outbox_reply(f->outbox, new_task(f, "my.replies", NULL));
	assert_int_equal(published_count, 2);
	assert_string_equal(published[0].message->exchange, "");
	assert_string_equal(published[0].message->routing_key, "my.replies");
	assert_true(published[0].message->mandatory);
	answer(1, AMQP_CONFIRMED);
	assert_int_equal(acked, 0);
	answer(0, AMQP_RETURNED);
	assert_int_equal(acked, 1);
	assert_int_equal(held, 0);
}

static void a_callback_travels_as_a_header_and_must_arrive(void **state)
{
	struct fixture *f = *state;

	outbox_reply(f->outbox, new_task(f, "", "https://example.org/hook"));
	const struct amqp_message *m = published[0].message;
	assert_string_equal(m->routing_key, "task.batch.final_failed.callback");
	assert_string_equal(m->envelope.callback_url, "https://example.org/hook");
	assert_true(m->mandatory);
	assert_null(memmem(m->body, m->body_size, "example.org", 11));
	answer(0, AMQP_CONFIRMED);
	assert_int_equal(acked, 1);
}

/* Ticks until `count` messages were published: what was refused is tried again after a pause. */
static void tick_until(struct fixture *f, int count)
{
	int64_t until = clock_monotonic_ms() + WAIT_MS;

	while (published_count < count && clock_monotonic_ms() < until) {
		outbox_tick(f->outbox);
		poll(NULL, 0, 5);
	}
	assert_int_equal(published_count, count);
}

static void refused_replies_stop_consuming_until_they_are_taken(void **state)
{
	struct fixture *f = *state;

	outbox_reply(f->outbox, new_task(f, "", NULL));
	outbox_reply(f->outbox, new_task(f, "", "https://example.org/hook"));
	answer(0, AMQP_NACKED);
	answer(1, AMQP_RETURNED);
	assert_int_equal(held, 1);
	assert_true(outbox_refused(f->outbox));
	assert_int_equal(acked, 0);

	tick_until(f, 4);
	answer(2, AMQP_CONFIRMED);
	assert_int_equal(held, 1);
	answer(3, AMQP_NACKED);
	tick_until(f, 5);
	answer(4, AMQP_CONFIRMED);
	assert_int_equal(held, 0);
	assert_int_equal(acked, 2);
	assert_false(outbox_refused(f->outbox));
}

static void an_abandoned_reply_leaves_the_job_to_the_broker(void **state)
{
	struct fixture *f = *state;

	outbox_reply(f->outbox, new_task(f, "", NULL));
	answer(0, AMQP_ABANDONED);
	assert_int_equal(acked + requeued, 0);
	assert_int_equal(roster_count(f->roster), 1);
}

static void a_parked_job_says_why_and_whence(void **state)
{
	struct fixture *f = *state;

	outbox_reply_and_park(f->outbox, new_task(f, "", NULL), "op: missing");
	assert_int_equal(published_count, 2);
	const struct amqp_message *m = published[1].message;
	assert_string_equal(m->exchange, TOPOLOGY_DEAD_EXCHANGE);
	assert_string_equal(m->routing_key, TOPOLOGY_DEAD_PARKED_KEY);
	assert_string_equal(m->envelope.reason, "op: missing");
	assert_string_equal(m->envelope.origin, "facefleet.jobs.batch");
	assert_string_equal(m->envelope.type, ENVELOPE_TYPE_JOB);
	answer(0, AMQP_CONFIRMED);
	assert_int_equal(acked, 0);
	answer(1, AMQP_CONFIRMED);
	assert_int_equal(acked, 1);
}

static void what_cannot_be_published_again_is_parked_without_its_body(void **state)
{
	struct fixture *f = *state;
	struct task *task = new_task(f, "", NULL);

	task->delivery->too_large = true;
	outbox_reply_and_park(f->outbox, task, "body: too large");
	assert_int_equal(published_count, 2);
	assert_int_equal(published[1].message->body_size, 0);
	assert_string_equal(published[1].message->envelope.reason, "body: too large");
	answer(0, AMQP_CONFIRMED);
	answer(1, AMQP_CONFIRMED);
	assert_int_equal(acked, 1);
}

static void a_retry_is_the_same_job_one_attempt_later(void **state)
{
	struct fixture *f = *state;
	struct task *task = new_task(f, "my.replies", NULL);
	int64_t accepted = task->reply.accepted_at_ms;

	outbox_retry(f->outbox, task, 1000);
	assert_int_equal(published_count, 1);
	const struct amqp_message *m = published[0].message;
	assert_string_equal(m->exchange, "");
	assert_string_equal(m->routing_key, "facefleet.retry.batch.1000");
	assert_true(m->mandatory);
	assert_int_equal(m->envelope.attempt, 2);
	assert_true(m->envelope.accepted_ms == accepted);
	assert_true(m->envelope.deadline_ms == accepted + 24LL * 3600 * 1000);
	assert_string_equal(m->envelope.reply_to, "my.replies");
	assert_int_equal(m->body_size, task->delivery->body_size);
	assert_false(m->envelope.suspect);
	answer(0, AMQP_CONFIRMED);
	assert_int_equal(acked, 1);
}

static void what_is_sent_again_stays_suspect(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct task *task = new_task(f, "", NULL);
		task->delivery->envelope.delivery_count = i == 0 ? 2 : 0;
		task->delivery->envelope.suspect = i == 1;
		outbox_retry(f->outbox, task, 1000);
		assert_true(published[i].message->envelope.suspect);
		answer(i, AMQP_CONFIRMED);
	}
}

static void events_are_for_whoever_listens(void **state)
{
	struct fixture *f = *state;
	struct task *task = new_task(f, "", "https://example.org/hook");

	outbox_event(f->outbox, task, TASK_RUNNING, 0);
	assert_int_equal(published_count, 1);
	const struct amqp_message *m = published[0].message;
	assert_string_equal(m->exchange, TOPOLOGY_EVENTS_EXCHANGE);
	assert_string_equal(m->routing_key, "task.batch.running.quiet");
	assert_string_equal(m->envelope.type, ENVELOPE_TYPE_EVENT);
	assert_false(m->mandatory);
	assert_null(published[0].done);
	assert_int_equal(roster_count(f->roster), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
static const struct CMUnitTest tests[] = {
    CASE(a_reply_given_again_stays_as_it_was),
    CASE(a_job_is_acked_when_its_reply_is_confirmed),
    CASE(a_requester_that_left_blocks_nobody),
    CASE(a_callback_travels_as_a_header_and_must_arrive),
    CASE(refused_replies_stop_consuming_until_they_are_taken),
    CASE(an_abandoned_reply_leaves_the_job_to_the_broker),
    CASE(a_parked_job_says_why_and_whence),
    CASE(what_cannot_be_published_again_is_parked_without_its_body),
    CASE(a_retry_is_the_same_job_one_attempt_later),
    CASE(what_is_sent_again_stays_suspect),
    CASE(events_are_for_whoever_listens),
};
RUN_TESTS(tests)
