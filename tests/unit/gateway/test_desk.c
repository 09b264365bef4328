#include "gateway/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/recent.h"
#include "gateway/ticket.h"
#include "run.h"

#define ID "01930000-0000-7000-8000-000000000001"

/* Stands in for the link: the linker takes these instead of the ones in common/amqp. */

static struct amqp_message *published;
static amqp_outcome_fn *done;
static void *done_arg;

int amqp_link_publish(struct amqp_link *link, struct amqp_message *message, amqp_outcome_fn *fn, void *arg)
{
	(void)link;
	if (fn) {
		published = message;
		done = fn;
		done_arg = arg;
	} else {
		amqp_message_free(message); /* an event */
	}
	return 0;
}

void amqp_link_status(struct amqp_link *link, struct amqp_link_status *out)
{
	(void)link;
	*out = (struct amqp_link_status){.connected = true};
}

static void answer(enum amqp_outcome outcome)
{
	done(done_arg, outcome, published);
	amqp_message_free(published);
}

/* --- a desk with one submission, which nobody waits for any more --- */

static struct metrics *metrics;
static struct recent *recent;
static struct desk *desk;
static struct ticket ticket;
static int ended; /* 0: not yet, 1: published, -1: not published */

static void note_ticket(void *arg, struct ticket *of, bool was_published)
{
	(void)arg;
	assert_ptr_equal(of, &ticket);
	ended = was_published ? 1 : -1;
}

static struct submission *submission_with_ticket(void)
{
	struct submission *submission = calloc(1, sizeof(*submission));

	assert_non_null(submission);
	snprintf(submission->task.task_id, sizeof(submission->task.task_id), "%s", ID);
	submission->ticket = &ticket;
	return submission;
}

static int set_up(void **state)
{
	struct buffer body = {0};

	(void)state;
	metrics = metrics_new();
	recent = recent_new(10);
	desk = desk_new(&(struct desk_settings){
	    .recent = recent, .max = 10, .max_bytes = 1000, .on_ticket = note_ticket, .metrics = metrics});
	ticket = (struct ticket){0};
	ended = 0;
	return desk && recent && desk_submit(desk, submission_with_ticket(), amqp_message_new("x", "y", &body)) ? 0
														: -1;
}

static int tear_down(void **state)
{
	(void)state;
	desk_free(desk);
	recent_free(recent);
	metrics_free(metrics);
	return 0;
}

static bool is_remembered(void)
{
	cleanup_with(buffer_finish) struct buffer reply = {0};
	struct recent_task task;

	return recent_find(recent, ID, &task, &reply);
}

static void test_confirmed(void **state)
{
	(void)state;
	answer(AMQP_CONFIRMED);
	assert_int_equal(ended, 1);
}

static void test_refused_by_a_full_queue(void **state)
{
	(void)state;
	answer(AMQP_NACKED);
	assert_int_equal(ended, -1);
	assert_false(ticket.claim.may_be_done);
	assert_false(is_remembered());
}

/* The first time it may have got there: its request must not become another task, and who asks for it finds it. */
static void test_refused_when_it_is_sent_again(void **state)
{
	(void)state;
	desk_lose(desk);
	answer(AMQP_NACKED);
	assert_int_equal(ended, -1);
	assert_true(ticket.claim.may_be_done);
	assert_true(is_remembered());
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_confirmed),
    CASE(test_refused_by_a_full_queue),
    CASE(test_refused_when_it_is_sent_again),
};

RUN_TESTS(tests)
