/* The scenes of a configuration: from what was said of their fields to the table that programs use. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/effective.h"

static struct config_scene *find(struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->scene_count; i++)
		if (strcmp(config->scenes[i].name, name) == 0)
			return &config->scenes[i];
	return NULL;
}

static struct config_scene *add(struct config *config, const char *name)
{
	struct config_scene *scene = &config->scenes[config->scene_count++];

	snprintf(scene->name, sizeof(scene->name), "%s", name);
	return scene;
}

void config_scenes_begin(struct config *config)
{
	for (unsigned i = 0; i < scene_builtin.count; i++)
		add(config, scene_builtin.items[i].name);
}

struct config_value *config_scene_place(struct config *config, const struct setting *setting, struct error *err)
{
	char name[JOB_MAX_SCENE_BYTES + 1];

	scene_key_name(setting->key, name);
	struct config_scene *scene = find(config, name);
	if (!scene && config->scene_count == SCENES_MAX) {
		settings_fault(setting, err, "one scene too many, %d are possible", SCENES_MAX);
		return NULL;
	}
	if (!scene)
		scene = add(config, name);
	return &scene->fields[setting->row - scene_key_fields];
}

/* --- what was not said --- */

static void write_field(const struct scene *scene, enum scene_field field, char *out, size_t size)
{
	const int64_t numbers[SCENE_FIELD_COUNT] = {
	    [SCENE_DEADLINE] = scene->end_to_end_ms,
	    [SCENE_ATTEMPT] = scene->attempt_ms,
	    [SCENE_RETRIES] = scene->retries,
	    [SCENE_BACKOFF] = scene->backoff_ms,
	};

	if (field == SCENE_LANE)
		snprintf(out, size, "%s", lane_name(scene->lane));
	else
		snprintf(out, size, "%" PRId64, numbers[field]);
}

static int fill_field(struct config_value *value, const struct scene *like, enum scene_field field, struct error *err)
{
	char text[32];

	if (value->text)
		return 0;
	write_field(like, field, text, sizeof(text));
	value->text = strdup(text);
	value->source = strdup("default");
	if (!value->text || !value->source) {
		error_set(err, ERROR_CONFIG, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

/* The built-in scene of that name, or else that of its lane. */
static const struct scene *model_of(const struct config_scene *scene)
{
	const struct scene *same = scene_find_in(&scene_builtin, scene->name);

	return same ? same : scene_find_in(&scene_builtin, scene->fields[SCENE_LANE].text);
}

/* Where anything was said of a scene, for people. */
static const char *place_of(const struct config_scene *scene)
{
	for (int i = 0; i < SCENE_FIELD_COUNT; i++)
		if (scene->fields[i].source)
			return scene->fields[i].source;
	return "default";
}

static int fill(struct config_scene *scene, struct error *err)
{
	bool builtin = scene_find_in(&scene_builtin, scene->name) != NULL;
	int r = 0;

	if (!builtin && !scene->fields[SCENE_LANE].text)
		return error_set(err, ERROR_CONFIG,
				 "%s: scenes.%s: no lane (realtime or batch); only realtime and batch are built in",
				 place_of(scene), scene->name);
	const struct scene *like = model_of(scene);
	for (int i = 0; i < SCENE_FIELD_COUNT && r == 0; i++)
		r = fill_field(&scene->fields[i], like, (enum scene_field)i, err);
	return r;
}

/* --- the table --- */

static int64_t number(const struct config_scene *scene, enum scene_field field)
{
	return strtoll(scene->fields[field].text, NULL, 10); /* it was checked */
}

/* Retries that can never come are a mistake of whoever counts on them. */
static int check(const struct config_scene *given, const struct scene *scene, struct error *err)
{
	if (scene->retries == 0 || scene->backoff_ms < scene->end_to_end_ms)
		return 0;
	return error_set(err, ERROR_CONFIG,
			 "%s: scenes.%s.retries: %" PRId64 ", but the wait before a retry (%" PRId64
			 " ms) is not below the deadline (%" PRId64 " ms)",
			 given->fields[SCENE_RETRIES].source, given->name, scene->retries, scene->backoff_ms,
			 scene->end_to_end_ms);
}

int config_scenes_end(struct config *config, struct error *err)
{
	struct scene_table *table = &config->scene_table;

	for (unsigned i = 0; i < config->scene_count; i++) {
		struct config_scene *given = &config->scenes[i];
		int r = fill(given, err);

		if (r < 0)
			return r;
		struct scene *scene = &table->items[table->count++];
		memcpy(scene->name, given->name, sizeof(scene->name));
		scene->lane =
		    strcmp(given->fields[SCENE_LANE].text, lane_name(LANE_REALTIME)) == 0 ? LANE_REALTIME : LANE_BATCH;
		scene->end_to_end_ms = number(given, SCENE_DEADLINE);
		scene->attempt_ms = number(given, SCENE_ATTEMPT);
		scene->retries = number(given, SCENE_RETRIES);
		scene->backoff_ms = number(given, SCENE_BACKOFF);
		r = check(given, scene, err);
		if (r < 0)
			return r;
	}
	return 0;
}
