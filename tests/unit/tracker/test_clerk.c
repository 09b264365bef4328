#include "run.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "samples.h"
#include "tracker/clerk.h"

/* The broker and the store thread are played by the functions below; the rest is real. */

#define MOST 64
#define SIZE 4

struct world {
	struct mailbox box;
	struct metrics *metrics;
	struct meters meters;
	struct clerk clerk;
	int64_t now_ms;
	unsigned tags;

	struct batch *given; /* NULL: none is out */
	unsigned gifts;
	unsigned settled[AMQP_DEAD_LETTER + 1];
	uint64_t last_settled;
	unsigned pauses;
	unsigned resumes;
	struct {
		struct amqp_message *message;
		amqp_outcome_fn *done;
		void *arg;
	} published[MOST];
	unsigned published_count;
	int publish_result;
};

static void give(void *arg, struct batch *batch)
{
	struct world *w = arg;

	assert_null(w->given);
	assert_in_range(batch->count, 1, SIZE);
	w->given = batch;
	w->gifts++;
}

static void settle(void *arg, struct amqp_tag tag, enum amqp_settlement settlement)
{
	struct world *w = arg;

	w->settled[settlement]++;
	w->last_settled = tag.delivery;
}

static int publish(void *arg, struct amqp_message *message, amqp_outcome_fn *done, void *done_arg)
{
	struct world *w = arg;

	if (w->publish_result != 0) {
		amqp_message_free(message);
		return w->publish_result;
	}
	assert_true(w->published_count < MOST);
	w->published[w->published_count].message = message;
	w->published[w->published_count].done = done;
	w->published[w->published_count++].arg = done_arg;
	return 0;
}

static void set_paused(void *arg, bool paused)
{
	struct world *w = arg;

	if (paused)
		w->pauses++;
	else
		w->resumes++;
}

static int set_up(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	assert_int_equal(mailbox_init(&w.box), 0);
	w.metrics = metrics_new();
	assert_non_null(w.metrics);
	meters_init(&w.meters, w.metrics);
	w.now_ms = 1000;
	const struct clerk_tools tools = {.box = &w.box,
					  .batch_size = SIZE,
					  .meters = &w.meters,
					  .give = give,
					  .settle = settle,
					  .publish = publish,
					  .pause = set_paused,
					  .arg = &w};
	assert_int_equal(clerk_init(&w.clerk, &tools), 0);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < w->published_count; i++)
		amqp_message_free(w->published[i].message);
	clerk_finish(&w->clerk);
	metrics_free(w->metrics);
	mailbox_finish(&w->box);
	return 0;
}

static void turn(struct world *w, int64_t ms)
{
	w->now_ms += ms;
	clerk_read_mail(&w->clerk, w->now_ms);
	clerk_tick(&w->clerk, w->now_ms);
}

static void arrive(struct world *w, struct amqp_delivery *delivery)
{
	struct message *message = message_new(delivery, &w->box);

	assert_non_null(message);
	delivery->tag.delivery = ++w->tags;
	letter_post(&message->letter, LETTER_ARRIVED);
}

static void arrive_events(struct world *w, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		arrive(w, sample_event(w->tags));
}

/* The store thread's answer. */
static void answer(struct world *w, enum error_code code)
{
	struct batch *batch = w->given;

	assert_non_null(batch);
	error_clear(&batch->err);
	batch->result = code == ERROR_NONE ? 0 : error_set(&batch->err, code, "it is so");
	w->given = NULL;
	letter_post(&batch->letter, LETTER_APPLIED);
	turn(w, 0);
}

static void publish_ends(struct world *w, unsigned number, enum amqp_outcome outcome)
{
	w->published[number].done(w->published[number].arg, outcome, w->published[number].message);
	turn(w, 0);
}

static void test_a_batch_goes_when_it_is_full(void **state)
{
	struct world *w = *state;

	arrive_events(w, SIZE - 1);
	turn(w, 0);
	assert_null(w->given);
	assert_in_range(clerk_idle_ms(&w->clerk, w->now_ms, 100), 1, CLERK_GATHER_MS);
	arrive_events(w, SIZE);
	turn(w, 0);
	assert_int_equal(w->given->count, SIZE);
	assert_int_equal(w->settled[AMQP_ACK], 0);
	answer(w, ERROR_NONE);
	assert_int_equal(w->settled[AMQP_ACK], SIZE);
	assert_null(w->given); /* the rest may wait a little */
	turn(w, CLERK_GATHER_MS);
	assert_int_equal(w->given->count, SIZE - 1);
	answer(w, ERROR_NONE);
	assert_true(clerk_is_idle(&w->clerk));
}

static void test_a_batch_goes_after_a_while(void **state)
{
	struct world *w = *state;

	arrive_events(w, 1);
	turn(w, 0);
	turn(w, CLERK_GATHER_MS - 1);
	assert_null(w->given);
	turn(w, 1);
	assert_int_equal(w->given->count, 1);
	w->given->accepted[0] = true;
	answer(w, ERROR_NONE);
	assert_true(metric_value(w->meters.messages[MESSAGE_EVENT][MESSAGE_ACCEPTED]) == 1);
	assert_int_equal(clerk_idle_ms(&w->clerk, w->now_ms, 100), 100);
}

/* In one batch, each among its like, and every message with the outcome that is its own. */
static void test_deliveries_among_changes(void **state)
{
	struct world *w = *state;

	arrive(w, sample_report(0));
	arrive(w, sample_event(1));
	arrive(w, sample_report(2));
	arrive(w, sample_event(3));
	turn(w, 0);
	assert_int_equal(w->given->count, 4);
	assert_int_equal(w->given->change_count, 2);
	assert_int_equal(w->given->delivery_count, 2);
	assert_string_equal(w->given->changes[1].task_id, w->given->messages[3]->task_id);
	assert_string_equal(w->given->deliveries[1]->task_id, w->given->messages[2]->report.task_id);
	w->given->accepted[1] = true;
	w->given->refused[2] = true;
	answer(w, ERROR_NONE);
	assert_true(metric_value(w->meters.messages[MESSAGE_EVENT][MESSAGE_REPEATED]) == 1);
	assert_true(metric_value(w->meters.messages[MESSAGE_EVENT][MESSAGE_ACCEPTED]) == 1);
	assert_true(metric_value(w->meters.messages[MESSAGE_DELIVERY][MESSAGE_ACCEPTED]) == 1);
	assert_true(metric_value(w->meters.messages[MESSAGE_DELIVERY][MESSAGE_PARKED]) == 1);
	assert_int_equal(w->settled[AMQP_ACK], 3);
	arrive(w, sample_report(4));
	turn(w, 0);
	turn(w, CLERK_GATHER_MS);
	assert_int_equal(w->given->change_count, 0);
	assert_int_equal(w->given->delivery_count, 1);
	answer(w, ERROR_NONE);
}

/* Nothing is settled, nothing more is taken, and the same messages are offered until they are recorded. */
static void test_a_store_that_is_away(void **state)
{
	struct world *w = *state;
	int64_t waited_ms = 0;

	arrive_events(w, SIZE + 1);
	turn(w, 0);
	answer(w, ERROR_STORE_UNAVAILABLE);
	assert_int_equal(w->pauses, 1);
	assert_null(w->given);
	for (unsigned round = 0; round < 5; round++) {
		for (waited_ms = 0; !w->given; waited_ms += 50)
			turn(w, 50);
		assert_in_range(waited_ms, 50, 5100);
		answer(w, ERROR_STORE_UNAVAILABLE);
	}
	assert_int_equal(w->pauses, 1);
	assert_int_equal(w->resumes, 0);
	while (!w->given)
		turn(w, 50);
	assert_int_equal(w->given->messages[0]->delivery->tag.delivery, 1);
	answer(w, ERROR_NONE);
	assert_int_equal(w->resumes, 1);
	turn(w, CLERK_GATHER_MS);
	answer(w, ERROR_NONE);
	assert_int_equal(w->settled[AMQP_ACK], SIZE + 1);
	assert_int_equal(w->last_settled, SIZE + 1);
}

/* What is no outage may be the fault of one message: others go on coming, and it is tried beside them. */
static void test_a_message_that_is_refused(void **state)
{
	struct world *w = *state;

	arrive_events(w, 1);
	turn(w, CLERK_GATHER_MS);
	turn(w, CLERK_GATHER_MS);
	answer(w, ERROR_INTERNAL);
	assert_int_equal(w->pauses, 0);
	arrive_events(w, 1);
	while (!w->given)
		turn(w, 50);
	assert_int_equal(w->given->count, 2);
	w->given->refused[0] = true;
	answer(w, ERROR_NONE);
	assert_int_equal(w->settled[AMQP_ACK], 1);
	assert_int_equal(w->published_count, 1);
	assert_string_equal(w->published[0].message->exchange, TOPOLOGY_DEAD_EXCHANGE);
	publish_ends(w, 0, AMQP_CONFIRMED);
	assert_int_equal(w->settled[AMQP_ACK], 2);
}

static void test_garbage_is_acked_once_it_is_parked(void **state)
{
	struct world *w = *state;

	arrive(w, sample_delivery("rumour", "{}"));
	turn(w, 0);
	assert_int_equal(w->published_count, 1);
	publish_ends(w, 0, AMQP_NACKED);
	assert_int_equal(w->settled[AMQP_ACK], 0);
	/* Stalls are timed by the real clock, which may have run for long. */
	turn(w, clock_monotonic_ms() + 3600 * 1000);
	assert_int_equal(w->published_count, 2);
	publish_ends(w, 1, AMQP_CONFIRMED);
	assert_int_equal(w->settled[AMQP_ACK], 1);
	assert_true(clerk_is_idle(&w->clerk));
}

static void test_garbage_that_is_too_large_is_dropped(void **state)
{
	struct world *w = *state;

	w->publish_result = -EMSGSIZE;
	arrive(w, sample_delivery("rumour", "{}"));
	turn(w, 0);
	assert_int_equal(w->settled[AMQP_DEAD_LETTER], 1);
	assert_true(clerk_is_idle(&w->clerk));
}

static void test_a_connection_that_is_lost(void **state)
{
	struct world *w = *state;

	arrive_events(w, SIZE + 2);
	turn(w, 0);
	assert_non_null(w->given);
	clerk_lose(&w->clerk, 1);
	assert_int_equal(w->clerk.in_hand, SIZE); /* the store has these */
	arrive_events(w, 1);                      /* read before it broke */
	turn(w, 0);
	assert_int_equal(w->clerk.in_hand, SIZE);
	answer(w, ERROR_STORE_UNAVAILABLE);
	assert_true(clerk_is_idle(&w->clerk));
	assert_int_equal(w->resumes, w->pauses);
}

/* Nothing is left with which it could be found out that the store is back. */
static void test_a_connection_that_is_lost_while_the_store_is_away(void **state)
{
	struct world *w = *state;

	arrive_events(w, SIZE + 1);
	turn(w, 0);
	answer(w, ERROR_STORE_UNAVAILABLE);
	assert_int_equal(w->pauses, 1);
	clerk_lose(&w->clerk, 1);
	assert_true(clerk_is_idle(&w->clerk));
	assert_int_equal(w->resumes, 1);
	clerk_lose(&w->clerk, 2);
	assert_int_equal(w->resumes, 1);
}

static void test_the_end_records_what_is_in_hand(void **state)
{
	struct world *w = *state;

	arrive_events(w, 1);
	turn(w, 0);
	clerk_close(&w->clerk);
	turn(w, 0);
	assert_int_equal(w->given->count, 1);
	answer(w, ERROR_NONE);
	assert_true(clerk_is_idle(&w->clerk));
	assert_int_equal(w->settled[AMQP_ACK], 1);
}

static void test_the_end_gives_back_what_cannot_be_recorded(void **state)
{
	struct world *w = *state;

	arrive_events(w, SIZE + 1);
	turn(w, 0);
	clerk_close(&w->clerk);
	answer(w, ERROR_STORE_UNAVAILABLE);
	assert_int_equal(w->settled[AMQP_REQUEUE], SIZE + 1);
	assert_true(clerk_is_idle(&w->clerk));
	assert_int_equal(w->resumes, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_a_batch_goes_when_it_is_full),
    CASE(test_a_batch_goes_after_a_while),
    CASE(test_deliveries_among_changes),
    CASE(test_a_store_that_is_away),
    CASE(test_a_message_that_is_refused),
    CASE(test_garbage_is_acked_once_it_is_parked),
    CASE(test_garbage_that_is_too_large_is_dropped),
    CASE(test_a_connection_that_is_lost),
    CASE(test_a_connection_that_is_lost_while_the_store_is_away),
    CASE(test_the_end_records_what_is_in_hand),
    CASE(test_the_end_gives_back_what_cannot_be_recorded),
};

RUN_TESTS(tests)
