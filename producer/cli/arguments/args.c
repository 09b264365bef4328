#include "cli/arguments/args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments/suggest.h"
#include "cli/output/escape.h"

int args_init(struct args *args, int argc, const char *const *argv)
{
	size_t room = 1;

	/* No word holds more options than characters: "-vvq". */
	for (int i = 0; i < argc; i++)
		room += strlen(argv[i]) + 1;
	*args = (struct args){
	    .options = calloc(room, sizeof(*args->options)),
	    .values = calloc(room, sizeof(*args->values)),
	    .operands = calloc((size_t)argc + 1, sizeof(*args->operands)),
	};
	if (args->options && args->values && args->operands)
		return 0;
	args_finish(args);
	return -ENOMEM;
}

void args_finish(struct args *args)
{
	free(args->options);
	free(args->values);
	free(args->operands);
	*args = (struct args){0};
}

static const struct arg_option *find_name(const struct arg_option *const *tables, const char *name, size_t length)
{
	for (; *tables; tables++)
		for (const struct arg_option *o = *tables; o->name; o++)
			if (strlen(o->name) == length && memcmp(o->name, name, length) == 0)
				return o;
	return NULL;
}

static const struct arg_option *find_letter(const struct arg_option *const *tables, char letter)
{
	for (; *tables; tables++)
		for (const struct arg_option *o = *tables; o->name; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

static int unknown_option(const struct arg_option *const *tables, const char *word, struct error *err)
{
	const char *nearest = NULL;
	char name[32] = "";
	char shown[ESCAPE_SIZE];

	escape_text(word, shown, sizeof(shown));
	if (word[1] == '-') {
		size_t length = strcspn(word + 2, "=");
		memcpy(name, word + 2, length < sizeof(name) ? length : sizeof(name) - 1);
		for (; *tables; tables++)
			for (const struct arg_option *o = *tables; o->name; o++)
				nearest = suggest_nearer(name, nearest, o->name);
	}
	if (nearest)
		return error_set(err, ERROR_CONFIG, "unknown option %s; did you mean --%s?", shown, nearest);
	return error_set(err, ERROR_CONFIG, "unknown option %s", shown);
}

static void add_option(struct args *args, const struct arg_option *option, const char *value)
{
	args->options[args->option_count] = option;
	args->values[args->option_count++] = value;
}

/* "--name", "--name=value" or "--name value". Returns the words taken or a negative errno. */
static int take_long(struct args *args, int argc, const char *const *argv, const struct arg_option *const *tables,
		     struct error *err)
{
	const char *name = argv[0] + 2;
	size_t length = strcspn(name, "=");
	const struct arg_option *option = find_name(tables, name, length);
	bool attached = name[length] == '=';

	if (!option)
		return unknown_option(tables, argv[0], err);
	if (!option->value) {
		if (attached)
			return error_set(err, ERROR_CONFIG, "--%s takes no value", option->name);
		add_option(args, option, NULL);
		return 1;
	}
	if (!attached && argc < 2)
		return error_set(err, ERROR_CONFIG, "--%s needs a value (%s)", option->name, option->value);
	add_option(args, option, attached ? name + length + 1 : argv[1]);
	return attached ? 1 : 2;
}

/* "-v", "-vq", "-lvalue" or "-l value". Returns the words taken or a negative errno. */
static int take_letters(struct args *args, int argc, const char *const *argv, const struct arg_option *const *tables,
			struct error *err)
{
	for (const char *letter = argv[0] + 1; *letter; letter++) {
		const struct arg_option *option = find_letter(tables, *letter);
		if (!option)
			return unknown_option(tables, argv[0], err);
		if (!option->value) {
			add_option(args, option, NULL);
			continue;
		}
		if (!letter[1] && argc < 2)
			return error_set(err, ERROR_CONFIG, "-%c needs a value (%s)", *letter, option->value);
		add_option(args, option, letter[1] ? letter + 1 : argv[1]);
		return letter[1] ? 1 : 2;
	}
	return 1;
}

int args_parse(struct args *args, int argc, const char *const *argv, const struct arg_option *const *tables,
	       bool until_operand, struct error *err)
{
	bool only_operands = false;
	int i = 0;

	while (i < argc) {
		const char *word = argv[i];
		int taken = 1;
		if (!only_operands && strcmp(word, "--") == 0) {
			only_operands = true;
		} else if (only_operands || word[0] != '-' || !word[1]) {
			args->operands[args->operand_count++] = word;
			if (until_operand)
				return i + 1;
		} else if (word[1] == '-') {
			taken = take_long(args, argc - i, argv + i, tables, err);
		} else {
			taken = take_letters(args, argc - i, argv + i, tables, err);
		}
		if (taken < 0)
			return taken;
		i += taken;
	}
	return i;
}

unsigned args_count(const struct args *args, const char *name)
{
	unsigned count = 0;

	for (unsigned i = 0; i < args->option_count; i++)
		count += strcmp(args->options[i]->name, name) == 0;
	return count;
}

const char *args_value(const struct args *args, const char *name)
{
	for (unsigned i = args->option_count; i > 0; i--)
		if (strcmp(args->options[i - 1]->name, name) == 0)
			return args->values[i - 1];
	return NULL;
}

const char *args_value_at(const struct args *args, const char *name, unsigned number)
{
	for (unsigned i = 0; i < args->option_count; i++)
		if (strcmp(args->options[i]->name, name) == 0 && number-- == 0)
			return args->values[i];
	return NULL;
}

int args_number(const struct args *args, const char *name, double low, double high, double *out, struct error *err)
{
	const char *text = args_value(args, name);
	char shown[ESCAPE_SIZE];
	char *end;

	if (!text)
		return 0;
	double value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		return error_set(err, ERROR_CONFIG, "--%s %s: not a number", name,
				 escape_text(text, shown, sizeof(shown)));
	if (value < low || value > high)
		return error_set(err, ERROR_CONFIG, "--%s %s: must be from %g to %g", name, text, low, high);
	*out = value;
	return 0;
}
