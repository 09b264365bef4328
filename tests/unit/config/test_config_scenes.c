/* `scenes.NAME.FIELD`, from the file and --set to the table of scenes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/effective.h"
#include "config/scene_key.h"
#include "run.h"

/* Reads a file, then one --set (may be NULL). */
static int read_both(struct config **out, const char *yaml, const char *set, struct error *err)
{
	struct settings s = {0};
	int r = settings_add_yaml(&s, "f.yaml", (const uint8_t *)yaml, strlen(yaml), err);

	if (r == 0 && set)
		r = settings_add_sets(&s, &set, 1, err);
	if (r == 0)
		r = config_merge(out, &s, err);
	settings_finish(&s);
	return r;
}

static struct scene find(const char *yaml, const char *set, const char *name)
{
	struct config *config = NULL;
	struct error err = {0};

	if (read_both(&config, yaml, set, &err) < 0)
		fail_msg("%s", err.text);
	const struct scene *found = scene_find_in(config_scenes(config), name);
	assert_non_null(found);
	struct scene scene = *found;
	config_free(config);
	return scene;
}

static void check_scene(const struct scene *scene, enum lane lane, int64_t end_to_end_ms, int64_t attempt_ms,
			int64_t retries, int64_t backoff_ms)
{
	assert_int_equal(scene->lane, lane);
	assert_int_equal(scene->end_to_end_ms, end_to_end_ms);
	assert_int_equal(scene->attempt_ms, attempt_ms);
	assert_int_equal(scene->retries, retries);
	assert_int_equal(scene->backoff_ms, backoff_ms);
}

static void test_a_scene_is_added(void **state)
{
	struct scene kiosk = find("scenes: {kiosk: {lane: realtime, deadline_ms: 8000, attempt_ms: 700, retries: 2, "
				  "backoff_ms: 5000}}",
				  NULL, "kiosk");

	(void)state;
	assert_string_equal(kiosk.name, "kiosk");
	check_scene(&kiosk, LANE_REALTIME, 8000, 700, 2, 5000);
}

static void test_what_is_left_out_is_as_in_the_scene_of_the_lane(void **state)
{
	struct scene kiosk = find("scenes: {kiosk: {lane: realtime}}", NULL, "kiosk");
	struct scene night = find("scenes:\n  night:\n    lane: batch\n    retries: 5\n", NULL, "night");

	(void)state;
	check_scene(&kiosk, LANE_REALTIME, 300, 0, 0, 1000);
	check_scene(&night, LANE_BATCH, 86400000, 2000, 5, 1000);
}

static void test_built_in_scenes_change_and_stay(void **state)
{
	const char *yaml = "scenes: {realtime: {deadline_ms: 500}}";
	struct scene realtime = find(yaml, NULL, "realtime");
	struct scene batch = find(yaml, NULL, "batch");
	struct scene moved = find("scenes: {batch: {lane: realtime}}", NULL, "batch");

	(void)state;
	check_scene(&realtime, LANE_REALTIME, 500, 0, 0, 1000);
	check_scene(&batch, LANE_BATCH, 86400000, 2000, 1, 1000);
	check_scene(&moved, LANE_REALTIME, 86400000, 2000, 1, 1000);
}

static void test_the_command_line_overrules_single_fields(void **state)
{
	struct scene kiosk =
	    find("scenes: {kiosk: {lane: realtime, deadline_ms: 800}}", "scenes.kiosk.deadline_ms=900", "kiosk");

	(void)state;
	check_scene(&kiosk, LANE_REALTIME, 900, 0, 0, 1000);
}

static void test_empty_sections_say_nothing(void **state)
{
	struct scene batch = find("scenes:\n", NULL, "batch");
	struct scene realtime = find("scenes:\n  kiosk:\n", NULL, "realtime");

	(void)state;
	check_scene(&batch, LANE_BATCH, 86400000, 2000, 1, 1000);
	check_scene(&realtime, LANE_REALTIME, 300, 0, 0, 1000);
}

static void check_refused(const char *yaml, const char *set, const char *expected)
{
	struct config *config = NULL;
	struct error err = {0};

	assert_true(read_both(&config, yaml, set, &err) < 0);
	assert_null(config);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_string_equal(err.text, expected);
}

static void test_mistakes_are_named_where_they_stand(void **state)
{
	(void)state;
	check_refused("scenes: {kiosk: {lane: fast}}", NULL,
		      "f.yaml:1:24: scenes.kiosk.lane: expected one of realtime|batch, not \"fast\"");
	check_refused(
	    "scenes:\n  kiosk:\n    deadline_ms: 0\n", NULL,
	    "f.yaml:3:18: scenes.kiosk.deadline_ms: expected an integer from 1 to 31536000000 (ms), not \"0\"");
	check_refused("scenes: {batch: {backoff_ms: 2000}}", NULL,
		      "f.yaml:1:30: scenes.batch.backoff_ms: expected one of 1000|5000|30000, not \"2000\"");
	check_refused("scenes: {kiosk: {deadline: 5}}", NULL,
		      "f.yaml:1:18: scenes.kiosk.deadline: unknown key, the nearest is scenes.kiosk.deadline_ms");
	check_refused("scenes: {Kiosk: {lane: batch}}", NULL,
		      "f.yaml:1:18: scenes.Kiosk.lane: the name of a scene is 1 to 32 characters of a-z, 0-9, _ and -");
	check_refused("scenes: {kiosk: 5}", NULL, "f.yaml:1:17: scenes.kiosk: a section, expected options below it");
	check_refused("scenes: 5", NULL, "f.yaml:1:9: scenes: a section, expected names of scenes below it");
	check_refused("scenes: {kiosk: {lane: }}", NULL,
		      "f.yaml:1:24: scenes.kiosk.lane: no value (\"\" is the empty text)");
	check_refused("scene: {kiosk: {lane: batch}}", NULL,
		      "f.yaml:1:17: scene.kiosk.lane: unknown key, the nearest is scenes");
	check_refused("", "scenes.kiosk.retires=1",
		      "--set: scenes.kiosk.retires: unknown key, the nearest is scenes.kiosk.retries");
	check_refused("", "scenes.kiosk=1", "--set: scenes.kiosk: a section, expected options below it");
	check_refused("", "scenes..lane=batch",
		      "--set: scenes..lane: the name of a scene is 1 to 32 characters of a-z, 0-9, _ and -");
}

static void test_a_scene_must_make_sense_as_a_whole(void **state)
{
	(void)state;
	check_refused("scenes: {relatime: {deadline_ms: 500}}", NULL,
		      "f.yaml:1: scenes.relatime: no lane (realtime or batch); only realtime and batch are built in");
	check_refused("scenes: {realtime: {retries: 1}}", NULL,
		      "f.yaml:1: scenes.realtime.retries: 1, but the wait before a retry (1000 ms) is not below the "
		      "deadline (300 ms)");
}

static void test_the_variables_do_not_reach_scenes(void **state)
{
	char *const environment[] = {(char *)"FACEFLEET_SCENES_KIOSK_LANE=batch", NULL};
	struct settings s = {0};
	struct error err = {0};

	(void)state;
	assert_true(settings_add_environment(&s, environment, &err) < 0);
	assert_string_equal(err.text, "env FACEFLEET_SCENES_KIOSK_LANE: scenes are set in the file or with --set");
}

static void test_there_is_an_end_to_scenes(void **state)
{
	char yaml[8192] = "scenes:\n";
	struct config *config = NULL;
	struct error err = {0};

	(void)state;
	for (unsigned i = scene_builtin.count; i < SCENES_MAX; i++)
		sprintf(yaml + strlen(yaml), "  s%u: {lane: batch}\n", i);
	assert_int_equal(read_both(&config, yaml, NULL, &err), 0);
	assert_int_equal(config_scenes(config)->count, SCENES_MAX);
	config_free(config);
	check_refused(yaml, "scenes.more.lane=batch", "--set: scenes.more.lane: one scene too many, 64 are possible");
}

/* The choices of backoff_ms are the table of those that have a queue. */
static void test_every_backoff_can_be_chosen(void **state)
{
	char choices[100] = "";

	(void)state;
	for (unsigned i = 0; scene_backoffs[i] != 0; i++)
		sprintf(choices + strlen(choices), "%s%lld", i > 0 ? "|" : "", (long long)scene_backoffs[i]);
	assert_string_equal(scene_key_fields[SCENE_BACKOFF].choices, choices);
}

static void test_print_shows_each_field_and_its_source(void **state)
{
	struct config *config = NULL;
	struct error err = {0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(read_both(&config, "scenes:\n  kiosk:\n    lane: batch\n", "scenes.kiosk.retries=3", &err), 0);
	config_print(config, out);
	fclose(out);
	const char *line = strstr(text, "scenes.kiosk.lane: batch ");
	assert_non_null(line);
	assert_memory_equal(strchr(line, '#'), "# f.yaml:3\n", 11);
	line = strstr(text, "scenes.kiosk.retries: 3 ");
	assert_non_null(line);
	assert_memory_equal(strchr(line, '#'), "# --set\n", 8);
	line = strstr(text, "scenes.realtime.deadline_ms: 300 ");
	assert_non_null(line);
	assert_memory_equal(strchr(line, '#'), "# default\n", 10);
	config_free(config);
	/* And what it writes can be read again. */
	assert_int_equal(find(text, NULL, "kiosk").retries, 3);
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_scene_is_added),
    cmocka_unit_test(test_what_is_left_out_is_as_in_the_scene_of_the_lane),
    cmocka_unit_test(test_built_in_scenes_change_and_stay),
    cmocka_unit_test(test_the_command_line_overrules_single_fields),
    cmocka_unit_test(test_empty_sections_say_nothing),
    cmocka_unit_test(test_mistakes_are_named_where_they_stand),
    cmocka_unit_test(test_a_scene_must_make_sense_as_a_whole),
    cmocka_unit_test(test_the_variables_do_not_reach_scenes),
    cmocka_unit_test(test_there_is_an_end_to_scenes),
    cmocka_unit_test(test_every_backoff_can_be_chosen),
    cmocka_unit_test(test_print_shows_each_field_and_its_source),
};

RUN_TESTS(tests)
