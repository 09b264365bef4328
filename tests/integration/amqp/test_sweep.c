#include "amqp/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broker.h"
#include "fixture.h"
#include "run.h"

#define PARKED "facefleet.dead.parked"
#define COUNT 300

/* What a sweep looks for, and what it saw. */
struct hunt {
	struct context *ctx;
	unsigned patience; /* cancels at this one; 0: never */
	unsigned seen[COUNT + 1];
	unsigned count;
	unsigned every; /* take those whose number it divides; 0: none */
	unsigned cut;   /* break the connection at this one; 0: never */
	size_t largest;
};

/* The broker lists a connection some time after it was made. */
static void cut(void)
{
	int64_t until = clock_monotonic_ms() + 30000;

	while (!broker_close_connection("facefleet sweep"))
		assert_true(clock_monotonic_ms() < until);
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a;
	unsigned y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static bool hunt(void *arg, const struct amqp_delivery *delivery)
{
	struct hunt *h = arg;
	unsigned number = (unsigned)atoi(delivery->envelope.message_id);

	assert_true(h->count <= COUNT);
	assert_string_equal(delivery->envelope.type, "facefleet.job.v1");
	assert_true(delivery->too_large || delivery->body_size == 0 || delivery->body[delivery->body_size - 1] == 'x');
	h->seen[h->count++] = number;
	if (delivery->body_size > h->largest)
		h->largest = delivery->body_size;
	if (h->cut && h->count == h->cut)
		cut();
	if (h->patience && h->count == h->patience)
		context_cancel(h->ctx);
	return h->every && number % h->every == 0;
}

static int sweep(struct hunt *h, struct amqp_sweep_counts *counts, struct error *err)
{
	h->count = 0;
	memset(err, 0, sizeof(*err));
	return amqp_sweep(h->ctx, &url, PARKED, hunt, h, counts, err);
}

static void fill(void)
{
	struct amqp_link *link = post_open_ready(&post, &url, "filler", TOPOLOGY_JOBS, NULL);

	for (unsigned i = 0; i < COUNT; i++)
		post_send(&post, link, "", PARKED, i + 1, i == 7 ? 1000000 : i, true);
	assert_true(post_wait(&post, &post.outcomes[AMQP_CONFIRMED], COUNT));
	amqp_link_free(link);
}

static void test_takes_some_and_leaves_the_rest_in_order(void **state)
{
	struct amqp_sweep_counts counts;
	struct hunt h = {.every = 3};
	struct error err;

	(void)state;
	fill();
	if (sweep(&h, &counts, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(counts.seen, COUNT);
	assert_int_equal(counts.removed, COUNT / 3);
	assert_int_equal(h.largest, 1000000);
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(h.seen[i], i + 1);

	assert_int_equal(sweep(&h, &counts, &err), 0);
	assert_int_equal(counts.seen, COUNT - COUNT / 3);
	assert_int_equal(counts.removed, 0);
	for (unsigned i = 0; i < counts.seen; i++)
		assert_int_equal(h.seen[i], i + 1 + i / 2);
}

static void test_a_connection_that_breaks_loses_nothing(void **state)
{
	struct amqp_sweep_counts counts;
	struct hunt h = {.cut = 200};
	struct error err;

	(void)state;
	fill();
	assert_true(sweep(&h, &counts, &err) < 0);
	assert_int_equal(err.code, ERROR_CONNECTION);
	assert_true(counts.seen >= 200 && counts.seen < COUNT);
	h.cut = 0;
	assert_int_equal(sweep(&h, &counts, &err), 0);
	assert_int_equal(counts.seen, COUNT);
	qsort(h.seen, COUNT, sizeof(h.seen[0]), by_number);
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(h.seen[i], i + 1);
}

static void test_one_that_is_cancelled_gives_back_what_it_holds(void **state)
{
	struct amqp_sweep_counts counts;
	struct context ctx = {0};
	struct hunt h = {.ctx = &ctx, .patience = 100, .every = 50};
	struct error err;

	(void)state;
	fill();
	assert_true(sweep(&h, &counts, &err) < 0);
	assert_int_equal(err.code, ERROR_CANCELLED);
	assert_int_equal(counts.seen, 100);
	assert_int_equal(counts.removed, 2);
	h = (struct hunt){0};
	assert_int_equal(sweep(&h, &counts, &err), 0);
	assert_int_equal(counts.seen, COUNT - 2);
	qsort(h.seen, counts.seen, sizeof(h.seen[0]), by_number);
	assert_int_equal(h.seen[48], 49);
	assert_int_equal(h.seen[49], 51);
}

static void test_a_queue_that_is_not_there(void **state)
{
	struct amqp_sweep_counts counts = {.seen = 7};
	struct hunt h = {0};
	struct error err;

	(void)state;
	assert_int_equal(sweep(&h, &counts, &err), 0);
	assert_int_equal(counts.seen, 0);
}

static void test_no_broker(void **state)
{
	struct amqp_sweep_counts counts;
	struct hunt h = {0};
	struct error err;

	(void)state;
	url.hosts[0].port = 1;
	assert_true(sweep(&h, &counts, &err) < 0);
	assert_int_equal(err.code, ERROR_CONNECTION);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_takes_some_and_leaves_the_rest_in_order, fixture_set_up, fixture_tear_down),
    cmocka_unit_test_setup_teardown(test_a_connection_that_breaks_loses_nothing, fixture_set_up, fixture_tear_down),
    cmocka_unit_test_setup_teardown(test_one_that_is_cancelled_gives_back_what_it_holds, fixture_set_up,
				    fixture_tear_down),
    cmocka_unit_test_setup_teardown(test_a_queue_that_is_not_there, fixture_set_up, fixture_tear_down),
    cmocka_unit_test_setup_teardown(test_no_broker, fixture_set_up, fixture_tear_down),
};

RUN_TESTS(tests)
