#ifndef UNIT_CALLBACK_WORLD_H
#define UNIT_CALLBACK_WORLD_H

#include "run.h"

#include "callback/courier.h"
#include "job/delivery_report.h"
#include "samples.h"

/*
 * The world around the messages in hand. The links to the broker and the HTTP client are played: what they are told
 * stands in `fake`, and the tests answer for them. The rest is real. Two go to an endpoint at a time, eight are in
 * hand, the waits are 5 s and 5 min, and an endpoint that failed three times is left alone.
 */

#define MOST 64

extern struct world_fake {
	struct {
		uint64_t generation;
		uint64_t delivery;
		enum amqp_settlement settlement;
	} settled[MOST];
	unsigned settled_count;

	struct {
		struct amqp_message *message;
		amqp_outcome_fn *done;
		void *arg;
	} published[MOST];
	unsigned published_count;
	int publish_result;

	/* Reports of deliveries: taken at once, unless they are held. */
	struct {
		struct amqp_message *message;
		amqp_outcome_fn *done;
		void *arg;
	} reports[MOST];
	unsigned report_count;
	bool hold_reports;
	bool refuse_reports;

	struct {
		http_done_fn *done;
		void *arg;
	} posted[MOST];
	unsigned posted_count;
	int post_result;
} fake;

struct world {
	struct mailbox box;
	struct metrics *metrics;
	struct meters meters;
	struct signature_keys *keys;
	struct retry_plan plan;
	struct breakers *breakers;
	struct courier courier;
};

int world_set_up(void **state);
int world_tear_down(void **state);
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

/** A message comes (and is the world's); a sample, in that delivery; a sample for that URL. */
void arrive_message(struct world *world, struct amqp_delivery *message);
void arrive(struct world *world, uint64_t generation, uint64_t tag);
void arrive_at(struct world *world, const char *url);

/** The HTTP client answers that post. */
void answer(struct world *world, unsigned post, enum http_outcome outcome, long status);

/** The broker answers that publish. */
void confirm(struct world *world, unsigned publish, enum amqp_outcome outcome);

/** Exactly `count` were settled, the last one as told. */
void settled(unsigned count, uint64_t generation, uint64_t tag, enum amqp_settlement settlement);

/** Report `number` went out under that key, for the sample's task; and what it says. */
void report_says(unsigned number, const char *key, struct delivery_report *out);

#endif
