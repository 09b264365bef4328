#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/options.h"
#include "job/scene.h"

/**
 * The effective settings of one program. A value comes from, in rising order: the table's
 * default, the YAML file, what the fleet shares, the environment (FACEFLEET_ + the key in capitals, dots and dashes as
 * underscores), `--set key=value`. Immutable once loaded; any thread may read.
 */
struct config;

/** A setting that the whole fleet shares; strings are borrowed. */
struct config_central {
	const char *key;
	const char *value;
	const char *place; /**< for people: "central revision 12" */
};

/** Where a program's command line says its settings are. */
struct config_sources {
	const char *path; /**< --config; NULL: $FACEFLEET_CONFIG, then /etc/facefleet/facefleet.yaml if it exists */
	const char *const *sets; /**< "key=value" …, in order */
	unsigned set_count;
	const struct config_central
	    *central; /**< those that count for this program, later ones win; none at its start */
	unsigned central_count;
};

/** The file that config_load() reads; NULL for none. Looks whether the usual one exists. */
const char *config_path(const struct config_sources *sources);

/**
 * Loads and checks everything. On the first fault returns an errno and `err` (config) says file,
 * line, column, key, what was expected, and the nearest known key where a key is unknown. An
 * environment variable FACEFLEET_… that names no option is an error too, so that a typing mistake
 * shows; only FACEFLEET_CONFIG, _HOME, _TEST_… and what docker-compose.yml reads (_AMQP_PORT,
 * _MANAGEMENT_PORT, _HTTP_PORT) are left alone. Reads `*_file` secrets (one trailing newline is dropped). Blocking.
 */
int config_load(struct config **out, const struct config_sources *sources, struct error *err) must_check;
void config_free(struct config *config);

/**
 * Whether a setting may be shared by the whole fleet: there is such an option or field of a scene, it can change
 * without a restart, is no secret, and takes that value (NULL: any). 0, or a negative errno with `err` (config).
 */
int config_check_central(const char *key, const char *value, struct error *err) must_check;

/** The value of an option of that type; asking with the wrong type is a programmer's mistake (assert). */
const char *config_string(const struct config *config, enum option_id option); /**< never NULL, "" when unset */
int64_t config_integer(const struct config *config, enum option_id option);
double config_number(const struct config *config, enum option_id option);
bool config_boolean(const struct config *config, enum option_id option);

/** The scenes: `scenes.NAME.FIELD` of the file and --set upon the built-in ones. Valid as long as the config. */
const struct scene_table *config_scenes(const struct config *config);

/** For `--print-config`: every option and every field of a scene, its value (secrets masked, URLs without password) and
 * its source. */
void config_print(const struct config *config, FILE *out);

/** Writes the commented sample file that deploy/facefleet.yaml is a copy of. */
void config_print_sample(FILE *out);

/* Command-line plumbing shared by every program: */

/** What config_parse_args() found. */
struct config_args {
	struct config_sources sources; /**< borrows from argv */
	bool print_config;
	bool help;
	bool version;
	const char **owned_sets; /**< freed by config_args_finish() */
};

/**
 * Takes `--config FILE`, `--set KEY=VALUE`, `--print-config`, `--help`, `--version` of a program
 * that has no other arguments; anything else is an error.
 */
int config_parse_args(struct config_args *args, int argc, char **argv, struct error *err) must_check;
void config_args_finish(struct config_args *args);

#endif
