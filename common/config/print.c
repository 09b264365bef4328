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

void config_print(const struct config *config, FILE *out)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_table[i];
		char *masked = row->type == OPTION_SECRET ? mask_secret(config->options[i].text) : NULL;
		const char *shown = row->type != OPTION_SECRET ? config->options[i].text : masked ? masked : "***";
		int columns = fprintf(out, "%s: ", row->key);

		columns += print_value(out, row, shown);
		fprintf(out, "%*s # %s\n", columns < SOURCE_COLUMN ? SOURCE_COLUMN - columns : 0, "",
			config->options[i].source);
		free(masked);
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

static void print_sample_option(FILE *out, const struct option_row *row)
{
	const char *name = strchr(row->key, '.') + 1;
	bool is_text = row->type == OPTION_STRING || row->type == OPTION_SECRET;
	char expected[100];

	value_describe(row, expected, sizeof(expected));
	print_comment(out, "  ", row->sentence);
	if (!is_text)
		fprintf(out, "  # Takes %s.\n", expected);
	if (row->reloadable)
		fprintf(out, "  # Can change without a restart.\n");
	if (row->type == OPTION_SECRET)
		fprintf(out, "  # Or %s_file: the path of a file that holds it.\n", name);
	fprintf(out, "  #%s: ", name);
	print_value(out, row, row->fallback);
	fprintf(out, "\n");
}

void config_print_sample(FILE *out)
{
	const char *section = "";

	print_comment(out, "",
		      "Every option of every facefleet program with its default. Remove the # before an option to "
		      "change it. The environment (FACEFLEET_AMQP_URL for amqp.url) overrules this file, and --set "
		      "amqp.url=... overrules both. --print-config shows what holds and where it came from.");
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
}
