#include "cli/watch/muster.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker.h"
#include "fixture.h"
#include "run.h"

static struct config *load_config(void)
{
	char set[600];
	const char *sets[] = {set};
	const struct config_sources sources = {.sets = sets, .set_count = 1};
	struct config *config;
	struct error err;

	snprintf(set, sizeof(set), "amqp.url=%s/%s", getenv("FACEFLEET_TEST_AMQP_URL"), url.hosts[0].vhost);
	if (config_load(&config, &sources, &err) < 0)
		fail_msg("%s", err.text);
	return config;
}

/* Who watches goes on while the broker is away, however often they call meanwhile. */
static void test_broker_that_does_not_answer(void **state)
{
	struct config *config = load_config();
	struct muster *muster;
	struct error err;

	(void)state;
	if (muster_open(&muster, config, 30000, &err) < 0)
		fail_msg("%s", err.text);
	broker_freeze();
	for (int i = 0; i < 10000; i++)
		if (muster_call(muster) < 0) {
			broker_thaw();
			fail_msg("call %d failed", i);
		}
	broker_thaw();
	muster_free(muster);
	config_free(config);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_broker_that_does_not_answer, fixture_set_up, fixture_tear_down),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
