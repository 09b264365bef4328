#include "parked/replay.h"

#include <errno.h>
#include <string.h>

#include "amqp/settings.h"
#include "run.h"

#define OLD_ID "01930000-0000-7000-8000-000000000001"

/* Stands in for the link: the linker takes these instead of the ones in common/amqp. */

static enum amqp_outcome outcome;
static bool is_silent; /* no outcome comes */
static unsigned sent;

int amqp_link_new_from_config(struct amqp_link **out, const struct amqp_link_settings *settings,
			      const struct config *config, struct error *err)
{
	(void)settings;
	(void)config;
	(void)err;
	*out = NULL;
	return 0;
}

int amqp_link_start(struct amqp_link *link, struct error *err)
{
	(void)link;
	(void)err;
	return 0;
}

int amqp_link_wait_ready(struct amqp_link *link, int64_t timeout_ms, struct error *err)
{
	(void)link;
	(void)timeout_ms;
	(void)err;
	return 0;
}

int amqp_link_publish(struct amqp_link *link, struct amqp_message *message, amqp_outcome_fn *fn, void *arg)
{
	(void)link;
	sent++;
	if (!is_silent)
		fn(arg, outcome, message);
	amqp_message_free(message);
	return 0;
}

int amqp_link_wait_confirms(struct amqp_link *link, int64_t timeout_ms)
{
	(void)link;
	(void)timeout_ms;
	return is_silent ? -ETIMEDOUT : 0;
}

void amqp_link_free(struct amqp_link *link)
{
	(void)link;
}

/* --- */

static struct replay *replay;
static struct error err;
static char id[ENVELOPE_SHORT_SIZE];

static int set_up(void **state)
{
	(void)state;
	sent = 0;
	is_silent = false;
	err = (struct error){0};
	return replay_open(&replay, NULL, 0, &err);
}

static int tear_down(void **state)
{
	(void)state;
	replay_free(replay);
	return 0;
}

static int send_one(void)
{
	struct amqp_delivery parked = {.body = (uint8_t *)"{}", .body_size = 2, .envelope = {.message_id = OLD_ID}};

	strcpy(parked.envelope.type, ENVELOPE_TYPE_EVENT);
	strcpy(parked.envelope.origin, "facefleet.tracker");
	return replay_send(replay, &parked, true, id, &err);
}

static void test_taken(void **state)
{
	(void)state;
	outcome = AMQP_CONFIRMED;
	if (send_one() < 0)
		fail_msg("%s", err.text);
	assert_string_equal(id, OLD_ID);
}

static void test_not_taken(void **state)
{
	(void)state;
	outcome = AMQP_NACKED;
	assert_true(send_one() < 0);
	assert_int_equal(err.code, ERROR_CONNECTION);
	assert_string_equal(err.text, "its queue is full");
	outcome = AMQP_CONFIRMED;
	assert_int_equal(send_one(), 0);
}

/* It is not said to have failed, for it may be there; what follows is not sent, and nothing else is said. */
static void test_nobody_knows(void **state)
{
	(void)state;
	is_silent = true;
	assert_true(send_one() < 0);
	assert_int_equal(err.code, ERROR_CONNECTION);
	assert_non_null(strstr(err.text, "may be sent, as " OLD_ID));
	assert_int_equal(sent, 1);
	assert_true(send_one() < 0);
	assert_string_equal(err.text, "the broker does not answer");
	assert_int_equal(sent, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_taken),
    CASE(test_not_taken),
    CASE(test_nobody_knows),
};

RUN_TESTS(tests)
