/* A broker that goes away, comes back, hangs, or is short of memory. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "amqp/link.h"
#include "broker.h"
#include "fixture.h"
#include "run.h"
#include "wait.h"

#define BATCH "facefleet.jobs.batch"
#define MESSAGES 3000

static const struct amqp_consumer_settings batch = {
    .queue = BATCH, .prefetch = 50, .on_delivery = post_on_delivery, .arg = &post};

/* Publishes and consumes at once, does `harm` to the broker in the middle of both, and counts. */
static void nothing_is_lost_despite(void (*harm)(void))
{
	post.ack = true;
	struct amqp_link *receiver = post_open_ready(&post, &url, "receiver", TOPOLOGY_JOBS, &batch);
	struct amqp_link *sender = post_open_ready(&post, &url, "sender", TOPOLOGY_JOBS, NULL);

	for (unsigned i = 0; i < MESSAGES; i++) {
		post_send(&post, sender, TOPOLOGY_JOBS_EXCHANGE, "batch", i, 2000, true);
		if (i == MESSAGES / 2) {
			/* In the middle: some are confirmed, some are not; some are consumed, some are not. */
			assert_true(post_wait(&post, &post.outcomes[AMQP_CONFIRMED], 100));
			assert_true(post_wait(&post, &post.deliveries, 100));
			harm();
		}
	}
	assert_int_equal(amqp_link_wait_confirms(sender, 90000), 0);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_CONFIRMED]), MESSAGES);
	assert_true(post_wait(&post, &post.distinct, MESSAGES));
	assert_int_equal(post.lost_generation, 1);
	/* What was seen before the harm may come once more, last of all. */
	WAIT_UNTIL(broker_count_ready(&url, BATCH) == 0);
	amqp_link_pause(receiver, 0);
	assert_int_equal(amqp_link_drain(receiver, 90000), 0);
	amqp_link_free(sender);
	amqp_link_free(receiver);
	assert_int_equal(broker_count_ready(&url, BATCH), 0);
}

static void test_restart_loses_nothing(void **state)
{
	(void)state;
	nothing_is_lost_despite(broker_restart);
}

static void test_crash_loses_nothing(void **state)
{
	(void)state;
	nothing_is_lost_despite(broker_crash);
}

static void freeze_until_links_notice(void)
{
	broker_freeze();
	/* Two heartbeats of five seconds without a sign of life end the connections. */
	assert_true(post_wait(&post, &post.losses, 2));
	broker_thaw();
}

static void test_hanging_broker_loses_nothing(void **state)
{
	(void)state;
	nothing_is_lost_despite(freeze_until_links_notice);
}

/* More than the sockets' buffers hold, so that a write is under way when the broker hangs. */
static void test_free_does_not_hang_on_a_hanging_broker(void **state)
{
	(void)state;
	struct amqp_link *link = post_open_ready(&post, &url, "sender", TOPOLOGY_JOBS, NULL);

	broker_freeze();
	for (unsigned i = 0; i < 10; i++)
		post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", i, 8u << 20, true);
	alarm(60);
	amqp_link_free(link);
	alarm(0);
	broker_thaw();
	assert_int_equal(post.outcomes[AMQP_ABANDONED], 10);
}

static void test_write_that_hangs_is_ended(void **state)
{
	(void)state;
	struct amqp_link *link = post_open_ready(&post, &url, "sender", TOPOLOGY_JOBS, NULL);

	broker_freeze();
	for (unsigned i = 0; i < 10; i++)
		post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", i, 8u << 20, true);
	assert_true(post_wait(&post, &post.losses, 1));
	broker_thaw();
	assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_CONFIRMED]), 10);
	amqp_link_free(link);
}

/* An operator may allow less than a program does. */
static void test_what_the_broker_finds_too_large_is_nacked(void **state)
{
	(void)state;
	broker_limit_messages(1000000);
	struct amqp_link *link = post_open_ready(&post, &url, "sender", TOPOLOGY_JOBS, NULL);

	for (unsigned i = 0; i < 20; i++)
		post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", i, i == 10 ? 1000001 : 1000, true);
	int r = amqp_link_wait_confirms(link, 90000);
	amqp_link_free(link);
	broker_limit_messages(0);
	assert_int_equal(r, 0);
	assert_int_equal(post.outcomes[AMQP_NACKED], 1);
	assert_int_equal(post.outcomes[AMQP_CONFIRMED], 19);
}

/* A port where the kernel accepts and nobody ever answers. */
static int open_sink(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void test_silent_peer_hangs_nobody(void **state)
{
	(void)state;
	struct error err;
	int fd = open_sink(&url.hosts[0].port);
	struct amqp_link *link = post_open(&post, &url, "sender", 0, NULL);

	post_send(&post, link, "", "anywhere", 1, 10, false);
	assert_int_equal(amqp_link_wait_ready(link, 200, &err), -EAGAIN);
	assert_int_equal(err.code, ERROR_CONNECTION);
	alarm(60);
	amqp_link_free(link);
	alarm(0);
	assert_int_equal(post.outcomes[AMQP_ABANDONED], 1);
	close(fd);
}

/* Each of them may take as long as it takes to find out that nobody is there. */
static void test_free_tries_no_further_hosts(void **state)
{
	(void)state;
	int fd = open_sink(&url.hosts[0].port);

	while (url.count < 4)
		url.hosts[url.count++] = url.hosts[0];
	struct amqp_link *link = post_open(&post, &url, "sender", 0, NULL);
	int first = accept(fd, NULL, NULL);
	assert_true(first >= 0);
	amqp_link_free(link);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(accept(fd, NULL, NULL), -1);
	close(first);
	close(fd);
}

static bool is_blocked(const struct amqp_link_status *status)
{
	return status->blocked;
}

static bool is_free(const struct amqp_link_status *status)
{
	return !status->blocked;
}

static void test_memory_alarm_blocks_and_unblocks(void **state)
{
	(void)state;
	struct amqp_link *link = post_open_ready(&post, &url, "sender", TOPOLOGY_JOBS, NULL);

	broker_set_memory_alarm(true);
	/* The broker tells a connection only when it publishes. */
	for (unsigned i = 0; i < 300; i++)
		post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", i, 2000, true);
	assert_true(post_wait_status(link, is_blocked));
	assert_int_equal(amqp_link_wait_confirms(link, 100), -ETIMEDOUT);
	broker_set_memory_alarm(false);
	assert_true(post_wait_status(link, is_free));
	assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_CONFIRMED]), 300);
	struct amqp_link_status status;
	amqp_link_status(link, &status);
	assert_int_equal(status.generation, 1);
	amqp_link_free(link);
}

static void test_own_queue_outlives_a_restart(void **state)
{
	(void)state;
	const struct amqp_consumer_settings own = {
	    .queue = "facefleet.reply.test",
	    .prefetch = 10,
	    .own_queue_expires_ms = 600000,
	    .on_delivery = post_on_delivery,
	    .arg = &post,
	};
	post.ack = true;
	struct amqp_link *link = post_open_ready(&post, &url, "cli", 0, &own);

	amqp_link_pause(link, 0);
	assert_int_equal(amqp_link_drain(link, 90000), 0);
	for (unsigned i = 0; i < 3; i++)
		post_send(&post, link, "", own.queue, i, 10, true);
	assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	broker_restart();
	assert_int_equal(post_read(&post, &post.deliveries), 0);
	amqp_link_resume(link, 0, 0);
	assert_true(post_wait(&post, &post.distinct, 3));
	assert_int_equal(post.outcomes[AMQP_CONFIRMED], 3);
	amqp_link_free(link);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_restart_loses_nothing),
    CASE(test_crash_loses_nothing),
    CASE(test_hanging_broker_loses_nothing),
    CASE(test_free_does_not_hang_on_a_hanging_broker),
    CASE(test_write_that_hangs_is_ended),
    CASE(test_what_the_broker_finds_too_large_is_nacked),
    CASE(test_silent_peer_hangs_nobody),
    CASE(test_free_tries_no_further_hosts),
    CASE(test_memory_alarm_blocks_and_unblocks),
    CASE(test_own_queue_outlives_a_restart),
};

RUN_TESTS(tests)
