#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/options.h"

struct config_central;

/** One value somebody gave to an option or to a field of a scene, not yet checked. */
struct setting {
	const struct option_row *row; /**< in option_table or scene_key_fields */
	char *key;                    /**< "worker.threads", "scenes.kiosk.lane"; without "_file" */
	bool is_path;                 /**< given as KEY_file: the value is the path of a file that holds it */
	char *value;
	char *place;     /**< for people: "facefleet.yaml:3", "env FACEFLEET_AMQP_URL", "--set" */
	unsigned column; /**< in the file; 0 elsewhere */
};

/** What was given, later ones overrule earlier ones. Zero-initialise. */
struct settings {
	struct setting *items;
	size_t count;
};

/*
 * Each of these reads one source behind those before. They refuse unknown keys, and an option
 * given within one source both as KEY and as KEY_file. Errors have code config; 0 or a negative errno.
 */

/** `name` stands for the file in errors and places. */
int settings_add_yaml(struct settings *s, const char *name, const uint8_t *text, size_t size,
		      struct error *err) must_check;

/** Scenes cannot be set here, since the case and the dashes of their names would be lost. Takes every FACEFLEET_… of
 * `environment` ("NAME=value" …, NULL-terminated; may be NULL). */
int settings_add_environment(struct settings *s, char *const *environment, struct error *err) must_check;

/** What the fleet shares; a key given twice keeps its last value. */
int settings_add_central(struct settings *s, const struct config_central *central, unsigned count,
			 struct error *err) must_check;

/** "key=value" …; a key given twice keeps its last value. */
int settings_add_sets(struct settings *s, const char *const *sets, unsigned count, struct error *err) must_check;

void settings_finish(struct settings *s);

/** Sets `err` to "place: key: …" for a fault in this setting's value. */
int settings_fault(const struct setting *setting, struct error *err, const char *fmt, ...) printf_like(3, 4);

/** Space for the longest name of settings_environment_name(). */
#define SETTINGS_NAME_SIZE 80

/** Writes "FACEFLEET_AMQP_URL" for "amqp.url". */
void settings_environment_name(const char *key, char out[SETTINGS_NAME_SIZE]);

#endif
