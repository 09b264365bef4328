#include "config/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/effective.h"

struct comparison {
	config_change_fn *note;
	void *arg;
};

/* --- options --- */

static void tell(const struct comparison *c, const struct option_row *row, const struct config_value *before,
		 const struct config_value *after)
{
	bool secret = row->type == OPTION_SECRET;
	const struct config_change change = {
	    .key = row->key,
	    .before = secret ? NULL : before->text,
	    .after = secret ? NULL : after->text,
	    .source = after->source,
	    .change = row->change,
	};

	c->note(c->arg, &change);
}

static void compare_options(const struct comparison *c, const struct config *before, const struct config *after)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (strcmp(before->options[i].text, after->options[i].text) != 0)
			tell(c, &option_table[i], &before->options[i], &after->options[i]);
}

/* --- scenes, all of which may come, change and go --- */

static const struct config_scene *find(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->scene_count; i++)
		if (strcmp(config->scenes[i].name, name) == 0)
			return &config->scenes[i];
	return NULL;
}

static void compare_fields(const struct comparison *c, const struct config_scene *old, const struct config_scene *new)
{
	for (int i = 0; i < SCENE_FIELD_COUNT; i++) {
		char key[SCENE_KEY_SIZE];
		const struct config_change change = {
		    .key = key,
		    .before = old ? old->fields[i].text : NULL,
		    .after = new->fields[i].text,
		    .source = new->fields[i].source,
		    .change = scene_key_fields[i].change,
		};

		if (old && strcmp(change.before, change.after) == 0)
			continue;
		scene_key_write(new->name, scene_key_fields[i].key, key);
		c->note(c->arg, &change);
	}
}

static void compare_scenes(const struct comparison *c, const struct config *before, const struct config *after)
{
	for (unsigned i = 0; i < after->scene_count; i++)
		compare_fields(c, find(before, after->scenes[i].name), &after->scenes[i]);
	for (unsigned i = 0; i < before->scene_count; i++) {
		char key[SCENE_KEY_SIZE];

		if (find(after, before->scenes[i].name))
			continue;
		scene_key_write(before->scenes[i].name, NULL, key);
		c->note(c->arg, &(struct config_change){.key = key, .source = "nowhere", .change = OPTION_HOT});
	}
}

void config_compare(const struct config *before, const struct config *after, config_change_fn *note, void *arg)
{
	const struct comparison c = {.note = note, .arg = arg};

	compare_options(&c, before, after);
	compare_scenes(&c, before, after);
}

/* --- what a reload keeps --- */

/* Puts a copy of the old value in the place of the new one. */
static int keep(struct config_value *place, const struct config_value *old, struct error *err)
{
	struct config_value copy = {
	    .text = strdup(old->text),
	    .source = strdup(old->source),
	    .value = old->value,
	};

	if (!copy.text || !copy.source) {
		free(copy.text);
		free(copy.source);
		error_set(err, ERROR_CONFIG, "out of memory");
		return -ENOMEM;
	}
	free(place->text);
	free(place->source);
	*place = copy;
	return 0;
}

int config_keep(struct config *next, const struct config *now, struct error *err)
{
	int r = 0;

	for (int i = 0; i < OPTION_COUNT && r == 0; i++)
		if (option_table[i].change == OPTION_RESTARTS)
			r = keep(&next->options[i], &now->options[i], err);
	return r;
}
