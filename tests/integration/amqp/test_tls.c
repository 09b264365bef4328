/* The broker with a TLS port beside its plain one, for as long as this program runs. */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amqp/link.h"
#include "broker.h"
#include "fixture.h"
#include "job/job.h"
#include "run.h"

static char folder[] = "/tmp/facefleet-tls.XXXXXX";
static uint16_t port;

static int start_tls(void **state)
{
	char ca[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
	port = broker_start_tls(folder);
	return access(ca, R_OK);
}

static int stop_tls(void **state)
{
	(void)state;
	broker_stop_tls(folder);
	return 0;
}

static struct amqp_url tls_url(const char *host, const char *ca)
{
	struct amqp_url tls = url;

	tls.hosts[0].tls = true;
	tls.hosts[0].port = port;
	snprintf(tls.hosts[0].host, sizeof(tls.hosts[0].host), "%s", host);
	snprintf(tls.ca_file, sizeof(tls.ca_file), "%s", ca[0] ? ca : "");
	return tls;
}

static const char *in_folder(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void test_messages_cross_tls(void **state)
{
	(void)state;
	struct amqp_url tls = tls_url("localhost", in_folder("ca.pem"));
	const struct amqp_consumer_settings consumer = {
	    .queue = "facefleet.jobs.batch", .prefetch = 10, .on_delivery = post_on_delivery, .arg = &post};
	post.ack = true;
	struct amqp_link *link = post_open_ready(&post, &tls, "tls", TOPOLOGY_JOBS, &consumer);

	post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", 0, JOB_MAX_ENCODED_BYTES, true);
	for (unsigned i = 1; i < 1000; i++)
		post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", i, 2000, true);
	assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	assert_true(post_wait(&post, &post.distinct, 1000));
	amqp_link_free(link);
	assert_int_equal(post.deliveries, 1000);
}

static void check_refused(const struct amqp_url *tls, enum error_code code, const char *text)
{
	struct error err;
	struct connection c;

	assert_true(
	    connection_open(
		&c,
		&(struct connection_settings){
		    .url = tls, .endpoint = &tls->hosts[0], .name = "test", .heartbeat_s = 10, .timeout_ms = 30000},
		&err) < 0);
	assert_int_equal(err.code, code);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
}

static void test_unknown_certificate_is_refused(void **state)
{
	(void)state;
	struct amqp_url tls = tls_url("localhost", in_folder("other.pem"));

	check_refused(&tls, ERROR_CONNECTION, "SSL");
}

static void test_certificate_of_another_host_is_refused(void **state)
{
	(void)state;
	struct amqp_url tls = tls_url("127.0.0.1", in_folder("ca.pem"));

	check_refused(&tls, ERROR_CONNECTION, "SSL");
}

static void test_files_that_cannot_be_used_are_named(void **state)
{
	(void)state;
	struct amqp_url tls = tls_url("localhost", "");

	check_refused(&tls, ERROR_CONFIG, "amqp.ca_file");
	tls = tls_url("localhost", "/nowhere/ca.pem");
	check_refused(&tls, ERROR_CONFIG, "/nowhere/ca.pem");
	tls = tls_url("localhost", in_folder("ca.pem"));
	strcpy(tls.cert_file, "/nowhere/cert.pem");
	strcpy(tls.key_file, "/nowhere/key.pem");
	check_refused(&tls, ERROR_CONFIG, "/nowhere/cert.pem");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_messages_cross_tls),
    CASE(test_unknown_certificate_is_refused),
    CASE(test_certificate_of_another_host_is_refused),
    CASE(test_files_that_cannot_be_used_are_named),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start_tls, stop_tls);
}
