#include "config/scene_key.h"

#include <stdio.h>
#include <string.h>

#include "config/nearest.h"

#define PREFIX "scenes."

const struct option_row scene_key_fields[SCENE_FIELD_COUNT] = {
    [SCENE_LANE] = {"lane", OPTION_CHOICE, "", 0, 0, "", "realtime|batch", OPTION_HOT,
		    "Queue that its jobs wait in; a scene that is not built in must say it."},
    [SCENE_DEADLINE] = {"deadline_ms", OPTION_INTEGER, "", 1, 31536000000, "ms", NULL, OPTION_HOT,
			"Time from the acceptance of a job to its result."},
    [SCENE_ATTEMPT] = {"attempt_ms", OPTION_INTEGER, "", 0, 86400000, "ms", NULL, OPTION_HOT,
		       "Time for each attempt; 0: only the deadline counts."},
    [SCENE_RETRIES] = {"retries", OPTION_INTEGER, "", 0, 100, "attempts", NULL, OPTION_HOT,
		       "Further attempts after one that failed for a reason that may pass."},
    /* The choices are scene_backoffs. */
    [SCENE_BACKOFF] = {"backoff_ms", OPTION_CHOICE, "", 0, 0, "ms", "1000|5000|30000", OPTION_HOT,
		       "Wait before a further attempt; the broker has a queue for each of these."},
};

bool scene_key_is_field(const struct option_row *row)
{
	return row >= scene_key_fields && row < scene_key_fields + SCENE_FIELD_COUNT;
}

bool scene_key_is(const char *key)
{
	return strncmp(key, PREFIX, strlen(PREFIX)) == 0 || strcmp(key, "scenes") == 0;
}

/* Copies the name behind the prefix and returns what follows it: "", or the dot before the field. NULL: no possible
 * name. */
static const char *split(const char *key, char name[JOB_MAX_SCENE_BYTES + 1])
{
	const char *start = key + strlen(PREFIX);
	size_t length = strcspn(start, ".");

	if (length > JOB_MAX_SCENE_BYTES)
		return NULL;
	memcpy(name, start, length);
	name[length] = '\0';
	return job_scene_is_valid(name) ? start + length : NULL;
}

bool scene_key_is_section(const char *key)
{
	char name[JOB_MAX_SCENE_BYTES + 1];

	if (!scene_key_is(key))
		return false;
	const char *rest = key[strlen("scenes")] == '.' ? split(key, name) : "";
	return rest && rest[0] == '\0';
}

static const char *nearest_field(const char *field)
{
	unsigned best = 0;

	for (unsigned i = 1; i < SCENE_FIELD_COUNT; i++)
		if (nearest_distance(field, scene_key_fields[i].key) <
		    nearest_distance(field, scene_key_fields[best].key))
			best = i;
	return scene_key_fields[best].key;
}

const struct option_row *scene_key_row(const char *key, char *why, size_t why_size)
{
	char name[JOB_MAX_SCENE_BYTES + 1];
	const char *rest = scene_key_is_section(key) ? "" : split(key, name);

	if (!rest) {
		snprintf(why, why_size, "the name of a scene is 1 to 32 characters of a-z, 0-9, _ and -");
		return NULL;
	}
	if (rest[0] == '\0') {
		snprintf(why, why_size, "a section, expected %s below it",
			 strcmp(key, "scenes") == 0 ? "names of scenes" : "options");
		return NULL;
	}
	for (unsigned i = 0; i < SCENE_FIELD_COUNT; i++)
		if (strcmp(rest + 1, scene_key_fields[i].key) == 0)
			return &scene_key_fields[i];
	snprintf(why, why_size, "unknown key, the nearest is " PREFIX "%s.%s", name, nearest_field(rest + 1));
	return NULL;
}

void scene_key_write(const char *name, const char *field, char out[SCENE_KEY_SIZE])
{
	snprintf(out, SCENE_KEY_SIZE, PREFIX "%s%s%s", name, field ? "." : "", field ? field : "");
}

void scene_key_name(const char *key, char out[JOB_MAX_SCENE_BYTES + 1])
{
	split(key, out);
}
