#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/effective.h"
#include "config/mask.h"

/* Column of the source in --print-config, and of the right margin of the sample's comments. */
#define SOURCE_COLUMN 64
#define MARGIN 100

/* Prints a value as YAML; returns the columns it took. */
static int print_value(FILE *out, const struct option_row *row, const char *text)
{
	if (row->type != OPTION_STRING && row->type != OPTION_SECRET)
		return fprintf(out, "%s", text);

	int columns = fprintf(out, "\"");
	for (; *text != '\0'; text++)
		columns += fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	return columns + fprintf(out, "\"");
}

static void print_line(FILE *out, const char *key, const struct option_row *row, const struct config_value *value)
{
	char *masked = row->type == OPTION_SECRET ? mask_secret(value->text) : NULL;
	const char *shown = row->type != OPTION_SECRET ? value->text : masked ? masked : "***";
	int columns = fprintf(out, "%s: ", key);

	columns += print_value(out, row, shown);
	fprintf(out, "%*s # %s\n", columns < SOURCE_COLUMN ? SOURCE_COLUMN - columns : 0, "", value->source);
	free(masked);
}

void config_print(const struct config *config, FILE *out)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		print_line(out, option_table[i].key, &option_table[i], &config->options[i]);
	for (unsigned i = 0; i < config->scene_count; i++) {
		for (int j = 0; j < SCENE_FIELD_COUNT; j++) {
			char key[SCENE_KEY_SIZE];

			scene_key_write(config->scenes[i].name, scene_key_fields[j].key, key);
			print_line(out, key, &scene_key_fields[j], &config->scenes[i].fields[j]);
		}
	}
}

/* Prints words as comment lines within the margin. */
static void print_comment(FILE *out, const char *indent, const char *text)
{
	while (*text != '\0') {
		size_t room = MARGIN - strlen(indent) - 2;
		size_t length = strlen(text);

		if (length > room) {
			length = room;
			while (length > 0 && text[length] != ' ')
				length--;
			if (length == 0)
				length = strcspn(text, " ");
		}
		fprintf(out, "%s# %.*s\n", indent, (int)length, text);
		text += length;
		text += strspn(text, " ");
	}
}

/* What there is to say about a row, as a comment above it. */
static void print_sample_comment(FILE *out, const char *indent, const struct option_row *row, const char *name)
{
	bool is_text = row->type == OPTION_STRING || row->type == OPTION_SECRET;
	char expected[100];

	value_describe(row, expected, sizeof(expected));
	print_comment(out, indent, row->sentence);
	if (!is_text)
		fprintf(out, "%s# Takes %s.\n", indent, expected);
	if (row->change == OPTION_HOT)
		fprintf(out, "%s# Can change without a restart.\n", indent);
	else if (row->change == OPTION_RENEWS)
		fprintf(out, "%s# Can change without a restart: a worker renews itself.\n", indent);
	if (row->type == OPTION_SECRET)
		fprintf(out, "%s# Or %s_file: the path of a file that holds it.\n", indent, name);
}

static void print_sample_option(FILE *out, const struct option_row *row)
{
	const char *name = strchr(row->key, '.') + 1;

	print_sample_comment(out, "  ", row, name);
	fprintf(out, "  #%s: ", name);
	print_value(out, row, row->fallback);
	fprintf(out, "\n");
}

static void print_sample_scenes(FILE *out)
{
	static const char *const example[SCENE_FIELD_COUNT] = {"realtime", "800", "0", "0", "1000"};

	fprintf(out, "\nscenes:\n");
	print_comment(
	    out, "  ",
	    "How kinds of task are treated. Built in are realtime (300 ms from acceptance to result, no retry) "
	    "and batch (24 h, 2 s for each attempt, one retry); more can be added, and these changed. What a "
	    "scene leaves out is as in the built-in scene of its lane. All programs of a fleet need the same "
	    "scenes: a job of a scene that is not known is invalid_job.");
	fprintf(out, "  #kiosk:\n");
	for (int i = 0; i < SCENE_FIELD_COUNT; i++) {
		print_sample_comment(out, "    ", &scene_key_fields[i], scene_key_fields[i].key);
		fprintf(out, "    #%s: %s\n", scene_key_fields[i].key, example[i]);
	}
}

void config_print_sample(FILE *out)
{
	const char *section = "";

	print_comment(out, "",
		      "Every option of every facefleet program with its default. Remove the # before an option to "
		      "change it. What `facefleet config set` shares with the whole fleet overrules this file, the "
		      "environment (FACEFLEET_AMQP_URL for amqp.url) overrules both, and --set amqp.url=... all. "
		      "--print-config shows what holds and where it came from.");
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_table[i];
		size_t length = strcspn(row->key, ".");

		if (strncmp(section, row->key, length + 1) != 0) {
			section = row->key;
			fprintf(out, "\n%.*s:\n", (int)length, section);
		} else {
			fprintf(out, "\n");
		}
		print_sample_option(out, row);
	}
	print_sample_scenes(out);
}
