/* A program whose settings change while it runs. */

#include "obs/reload.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hangup.h"
#include "config/handover.h"
#include "obs/log.h"
#include "run.h"

#define DEADLINE_MS 60000

struct fixture {
	char path[64];
	struct config_sources sources;
	struct config *config;
	struct metrics *metrics;
	struct reload *reload;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	clearenv();
	strcpy(f->path, "/tmp/facefleet-reload-XXXXXX");
	int fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	write_file(f->path, "gateway.rate: 1\n");
	f->sources.path = f->path;
	assert_int_equal(hangup_install(), 0);
	assert_int_equal(config_load(&f->config, &f->sources, &err), 0);
	f->metrics = metrics_new();
	f->reload = reload_new(f->config, &f->sources, f->metrics);
	assert_non_null(f->reload);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	reload_free(f->reload);
	metrics_free(f->metrics);
	config_free(f->config);
	unlink(f->path);
	free(f);
	log_set_level(LOG_LEVEL_INFO);
	scene_use(&scene_builtin);
	return 0;
}

static double outcomes(struct fixture *f, const char *outcome)
{
	const char *const labels[] = {"outcome", outcome, NULL};

	return metric_value(metrics_counter(f->metrics, "facefleet_config_reloads_total",
					    "Times that the settings were read again, by what came of it.", labels));
}

static void test_without_a_reason_nothing_is_read(void **state)
{
	struct fixture *f = *state;

	assert_null(reload_poll(f->reload));
	assert_null(reload_poll(f->reload));
	assert_true(outcomes(f, "unchanged") == 0);
}

static void test_the_signal_reads_at_once(void **state)
{
	struct fixture *f = *state;
	struct scene scene;

	write_file(f->path, "gateway.rate: 2\nlog.level: error\nscenes: {kiosk: {lane: batch}}\n");
	raise(SIGHUP);
	const struct config *news = reload_poll(f->reload);
	assert_non_null(news);
	assert_true(config_number(news, OPTION_GATEWAY_RATE) == 2);
	assert_false(log_enabled(LOG_LEVEL_WARNING));
	assert_true(scene_find("kiosk", &scene));
	assert_true(outcomes(f, "applied") == 1);

	assert_null(reload_poll(f->reload));
	raise(SIGHUP);
	assert_null(reload_poll(f->reload));
	assert_true(outcomes(f, "unchanged") == 1);
}

/* Instead of libc's: whether the usual file is there is the test's to say. Nobody can read it in any case. */
static bool usual_file_is_there;

int access(const char *path, int mode)
{
	(void)path;
	(void)mode;
	return usual_file_is_there ? 0 : -1;
}

static void test_the_usual_file_is_missed_when_it_is_gone(void **state)
{
	struct fixture *f = *state;
	const struct config_sources usual = {0};

	usual_file_is_there = true;
	struct reload *reload = reload_new(f->config, &usual, f->metrics);
	usual_file_is_there = false;
	assert_non_null(reload);
	raise(SIGHUP);
	assert_null(reload_poll(reload));
	assert_true(outcomes(f, "refused") == 1);
	reload_free(reload);
}

static void test_without_a_usual_file_there_are_other_reasons(void **state)
{
	struct fixture *f = *state;
	const struct config_sources usual = {0};
	const struct config_central shared = {"gateway.rate", "7", "central"};
	struct reload *reload = reload_new(f->config, &usual, f->metrics);

	assert_non_null(reload);
	assert_int_equal(reload_set_central(reload, &shared, 1), 0);
	const struct config *news = reload_poll(reload);
	assert_non_null(news);
	assert_true(config_number(news, OPTION_GATEWAY_RATE) == 7);
	reload_free(reload);
}

static void test_a_bad_file_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct scene scene;

	write_file(f->path, "log.level: error\nscenes: {kiosk: {lane: batch}}\ngateway.rate: much\n");
	raise(SIGHUP);
	assert_null(reload_poll(f->reload));
	assert_true(log_enabled(LOG_LEVEL_WARNING));
	assert_false(scene_find("kiosk", &scene));
	assert_true(outcomes(f, "refused") == 1);

	write_file(f->path, "gateway.rate: 3\n");
	raise(SIGHUP);
	const struct config *news = reload_poll(f->reload);
	assert_non_null(news);
	assert_true(config_number(news, OPTION_GATEWAY_RATE) == 3);
}

static const struct config *poll_until_news(struct reload *reload)
{
	int64_t until_ms = clock_monotonic_ms() + DEADLINE_MS;
	const struct config *news;

	while (!(news = reload_poll(reload)) && clock_monotonic_ms() < until_ms)
		poll(NULL, 0, 20);
	return news;
}

static void test_a_changed_file_is_noticed(void **state)
{
	struct fixture *f = *state;
	char other[80];

	write_file(f->path, "gateway.rate: 20\n");
	const struct config *news = poll_until_news(f->reload);
	assert_non_null(news);
	assert_true(config_number(news, OPTION_GATEWAY_RATE) == 20);

	/* Also one that takes its place. */
	snprintf(other, sizeof(other), "%s.new", f->path);
	write_file(other, "gateway.rate: 30\n");
	assert_int_equal(rename(other, f->path), 0);
	news = poll_until_news(f->reload);
	assert_non_null(news);
	assert_true(config_number(news, OPTION_GATEWAY_RATE) == 30);
}

static void test_what_the_fleet_shares_is_taken_over(void **state)
{
	struct fixture *f = *state;
	const struct config_central first[] = {{"gateway.rate", "7", "central"}, {"log.level", "error", "central"}};
	const struct config_central bad = {"gateway.rate", "much", "central"};

	assert_int_equal(reload_set_central(f->reload, &bad, 1), 0);
	assert_int_equal(reload_set_central(f->reload, first, 2), 0); /* the last one counts */
	const struct config *news = reload_poll(f->reload);
	assert_non_null(news);
	assert_true(config_number(news, OPTION_GATEWAY_RATE) == 7);
	assert_false(log_enabled(LOG_LEVEL_WARNING));
	assert_null(reload_poll(f->reload));

	assert_int_equal(reload_set_central(f->reload, &bad, 1), 0);
	assert_null(reload_poll(f->reload));
	assert_true(outcomes(f, "refused") == 1);

	assert_int_equal(reload_set_central(f->reload, NULL, 0), 0);
	news = reload_poll(f->reload);
	assert_non_null(news);
	assert_true(config_number(news, OPTION_GATEWAY_RATE) == 1);
}

static void test_it_goes_on_where_the_program_of_before_was(void **state)
{
	struct fixture *f = *state;
	const struct config_central shared = {"gateway.burst", "9", "central"};

	/* What the file says is not what the program began with. */
	write_file(f->path, "gateway.rate: 2\n");
	reload_free(f->reload);
	f->reload = reload_new(f->config, &f->sources, f->metrics);
	assert_non_null(f->reload);
	assert_int_equal(reload_continue(f->reload, &shared, 1), 0);
	const struct config *news = poll_until_news(f->reload);
	assert_non_null(news);
	assert_true(config_number(news, OPTION_GATEWAY_RATE) == 2);
	assert_true(config_number(news, OPTION_GATEWAY_BURST) == 9);
}

static void test_what_holds_is_handed_over(void **state)
{
	struct fixture *f = *state;
	const struct config_central shared = {"gateway.burst", "9", "central"};
	struct handover left = {0};
	struct error err;

	write_file(f->path, "gateway.rate: 2\nworker.name: other\n");
	assert_int_equal(reload_set_central(f->reload, &shared, 1), 0);
	assert_non_null(reload_poll(f->reload));
	assert_int_equal(reload_hand_over(f->reload), 0);
	assert_int_equal(handover_take(&left, &err), 0);
	assert_non_null(left.config);
	assert_true(config_number(left.config, OPTION_GATEWAY_RATE) == 2);
	assert_true(config_number(left.config, OPTION_GATEWAY_BURST) == 9);
	assert_string_equal(config_string(left.config, OPTION_WORKER_NAME), "");
	assert_int_equal(left.shared_count, 1);
	handover_finish(&left);
}

struct asking {
	unsigned times;
	bool asked;
	bool refuses;
};

static int check(void *arg, const struct config *next, bool asked, struct error *err)
{
	struct asking *asking = arg;

	asking->times++;
	asking->asked = asked;
	assert_true(config_integer(next, OPTION_WORKER_THREADS) == 3);
	return asking->refuses ? error_set(err, ERROR_MODEL, "no") : 0;
}

static void test_the_program_may_refuse(void **state)
{
	struct fixture *f = *state;
	const struct config_central central = {"gateway.rate", "7", "central"};
	struct asking asking = {.refuses = true};

	reload_set_check(f->reload, check, &asking);
	write_file(f->path, "worker.threads: 3\nlog.level: error\n");
	raise(SIGHUP);
	assert_null(reload_poll(f->reload));
	assert_true(asking.times == 1 && asking.asked);
	assert_true(outcomes(f, "refused") == 1);
	assert_true(log_enabled(LOG_LEVEL_WARNING));

	asking.refuses = false;
	assert_int_equal(reload_set_central(f->reload, &central, 1), 0);
	const struct config *news = reload_poll(f->reload);
	assert_non_null(news);
	assert_true(asking.times == 2 && !asking.asked);
	assert_true(config_integer(news, OPTION_WORKER_THREADS) == 3);
	assert_false(log_enabled(LOG_LEVEL_WARNING));
}

static void test_a_file_that_is_gone_is_no_change(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_null(reload_poll(f->reload));
	assert_true(outcomes(f, "refused") == 0);
	/* But who asks for it is told. */
	raise(SIGHUP);
	assert_null(reload_poll(f->reload));
	assert_true(outcomes(f, "refused") == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(test_without_a_reason_nothing_is_read),
    TEST(test_the_signal_reads_at_once),
    TEST(test_a_bad_file_changes_nothing),
    TEST(test_a_changed_file_is_noticed),
    TEST(test_what_the_fleet_shares_is_taken_over),
    TEST(test_it_goes_on_where_the_program_of_before_was),
    TEST(test_what_holds_is_handed_over),
    TEST(test_a_file_that_is_gone_is_no_change),
    TEST(test_the_usual_file_is_missed_when_it_is_gone),
    TEST(test_without_a_usual_file_there_are_other_reasons),
    TEST(test_the_program_may_refuse),
};

RUN_TESTS(tests)
