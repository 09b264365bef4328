#ifndef CONFIG_SCENE_KEY_H
#define CONFIG_SCENE_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "config/options.h"
#include "job/scene.h"

/* The settings `scenes.NAME.FIELD`: which fields there are, and what their keys look like. */

enum scene_field { SCENE_LANE, SCENE_DEADLINE, SCENE_ATTEMPT, SCENE_RETRIES, SCENE_BACKOFF, SCENE_FIELD_COUNT };

/** A row for each field; its key is the field's name alone, and it has no default: what a scene leaves out is as in the
 * built-in one of its lane. */
extern const struct option_row scene_key_fields[SCENE_FIELD_COUNT];

/** True of a row of scene_key_fields. */
bool scene_key_is_field(const struct option_row *row);

/** True of `scenes` and of everything below it. */
bool scene_key_is(const char *key);

/** True where fields are expected below the key: of `scenes`, and of `scenes.NAME` with a possible name. */
bool scene_key_is_section(const char *key);

/** The field that `scenes.NAME.FIELD` names; NULL and what is wrong in `why` otherwise. */
const struct option_row *scene_key_row(const char *key, char *why, size_t why_size) must_check;

/** Space for the longest key. */
#define SCENE_KEY_SIZE 80

/** Writes `scenes.NAME.FIELD`; `field` NULL: `scenes.NAME`. */
void scene_key_write(const char *name, const char *field, char out[SCENE_KEY_SIZE]);

/** Copies NAME of a key that scene_key_row() knows. */
void scene_key_name(const char *key, char out[JOB_MAX_SCENE_BYTES + 1]);

#endif
