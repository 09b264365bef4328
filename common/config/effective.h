#ifndef CONFIG_EFFECTIVE_H
#define CONFIG_EFFECTIVE_H

#include "config/config.h"
#include "config/scene_key.h"
#include "config/settings.h"
#include "config/value.h"

/* What struct config is made of. Inside of common/config. */

struct config_value {
	char *text; /* as it was given, or as the file of a secret holds it; NULL: not yet said */
	char *source;
	struct value value;
};

struct config_scene {
	char name[JOB_MAX_SCENE_BYTES + 1];
	struct config_value fields[SCENE_FIELD_COUNT];
};

struct config {
	struct config_value options[OPTION_COUNT];
	struct config_scene scenes[SCENES_MAX]; /* the built-in ones first */
	unsigned scene_count;
	struct scene_table scene_table; /* what they come to */
};

/* In config_scenes.c: */

/** The place of a scene's field, which setting->key names; NULL and `err` if there are too many scenes. */
struct config_value *config_scene_place(struct config *config, const struct setting *setting, struct error *err);

/** Adds the built-in scenes, as yet without values. */
void config_scenes_begin(struct config *config);

/** Fills what was not said, checks each scene as a whole, and makes the table. 0 or a negative errno with `err`. */
int config_scenes_end(struct config *config, struct error *err) must_check;

/**
 * Checks every setting and lets the last one for each option win; reads the files of secrets and
 * nothing else from outside. `settings` stays the caller's. Errors as config_load().
 */
int config_merge(struct config **out, const struct settings *settings, struct error *err) must_check;

#endif
