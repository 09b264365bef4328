/* Settings that a program leaves for the one it executes in its place. */

#include "config/handover.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/reload.h"
#include "run.h"

#define VARIABLE "FACEFLEET_HANDOVER"
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static const char *const sets[] = {
    "worker.threads=3",           "amqp.url=amqp://user:secret@host/vhost",
    "gateway.rate=0.5",           "store.url=",
    "scenes.kiosk.lane=realtime", "scenes.batch.retries=4",
};
static const struct config_sources sources = {.sets = sets, .set_count = array_size(sets)};

struct fixture {
	struct config *config;
	struct handover left;
	struct error err;
	int differences;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	clearenv();
	if (config_load(&f->config, &sources, &f->err) < 0)
		fail_msg("%s", f->err.text);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	handover_finish(&f->left);
	config_free(f->config);
	free(f);
	return 0;
}

static int open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void count_difference(void *arg, const struct config_change *change)
{
	struct fixture *f = arg;

	(void)change;
	f->differences++;
}

static void what_was_left_is_taken(void **state)
{
	static const struct config_central shared[] = {
	    {.key = "worker.threads", .value = "3", .place = "central revision 7"},
	    {.key = "gateway.rate", .value = "0.5", .place = "central revision 8"},
	};
	struct fixture *f = *state;
	int opened = open_descriptors();

	assert_int_equal(handover_leave(f->config, shared, array_size(shared)), 0);
	assert_int_equal(handover_take(&f->left, &f->err), 0);
	assert_non_null(f->left.config);
	config_compare(f->config, f->left.config, count_difference, f);
	assert_int_equal(f->differences, 0);
	assert_string_equal(config_string(f->left.config, OPTION_AMQP_URL), "amqp://user:secret@host/vhost");
	assert_string_equal(config_string(f->left.config, OPTION_STORE_URL), "");
	assert_int_equal(scene_find_in(config_scenes(f->left.config), "kiosk")->lane, LANE_REALTIME);
	assert_int_equal(f->left.shared_count, 2);
	assert_string_equal(f->left.shared[1].key, "gateway.rate");
	assert_string_equal(f->left.shared[1].value, "0.5");
	assert_string_equal(f->left.shared[1].place, "central revision 8");
	assert_int_equal(open_descriptors(), opened);
}

static void it_is_taken_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(handover_leave(f->config, NULL, 0), 0);
	assert_int_equal(handover_take(&f->left, &f->err), 0);
	assert_int_equal(f->left.shared_count, 0);
	handover_finish(&f->left);
	f->left = (struct handover){0};
	assert_int_equal(handover_take(&f->left, &f->err), 0);
	assert_null(f->left.config);
	assert_null(getenv(VARIABLE));
}

static void refuse(struct fixture *f, const char *variable)
{
	setenv(VARIABLE, variable, 1);
	assert_true(handover_take(&f->left, &f->err) < 0);
	assert_non_null(strstr(f->err.text, VARIABLE));
	assert_null(f->left.config);
	handover_finish(&f->left);
	f->left = (struct handover){0};
}

static void what_nobody_left_is_refused(void **state)
{
	static const char *const variables[] = {"", "one", "1x", "-1", "0", "99999", "99999999999999999999"};
	struct fixture *f = *state;

	for (size_t i = 0; i < array_size(variables); i++)
		refuse(f, variables[i]);
}

static void what_is_cut_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} cases[] = {
	    {"", 0}, {"log.level", 9}, {"log.level\0info\0", 15}, {"log.level\0info\0f\0", 17}, {"\0\0\0x", 4}};
	struct fixture *f = *state;

	for (size_t i = 0; i < array_size(cases); i++) {
		char number[16];
		int fd = memfd_create("cut", MFD_ALLOW_SEALING);

		assert_int_equal(write(fd, cases[i].bytes, cases[i].size), cases[i].size);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, SEALS), 0);
		snprintf(number, sizeof(number), "%d", fd);
		refuse(f, number);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
    CASE(what_was_left_is_taken),
    CASE(it_is_taken_once),
    CASE(what_nobody_left_is_refused),
    CASE(what_is_cut_is_refused),
};
RUN_TESTS(tests)
