#include "config/config.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct option known[] = {
    {"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 's'},
    {"print-config", no_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},      {0},
};

static int take(struct config_args *args, int letter, const char *word, struct error *err)
{
	switch (letter) {
	case 'c':
		args->sources.path = optarg;
		return 0;
	case 's':
		args->owned_sets[args->sources.set_count++] = optarg;
		return 0;
	case 'p':
		args->print_config = true;
		return 0;
	case 'h':
		args->help = true;
		return 0;
	case 'v':
		args->version = true;
		return 0;
	case ':':
		return error_set(err, ERROR_CONFIG, "%.100s: a value is missing", word);
	default:
		return error_set(
		    err, ERROR_CONFIG,
		    "%.100s: unknown argument (expected --config, --set, --print-config, --help, --version)", word);
	}
}

int config_parse_args(struct config_args *args, int argc, char **argv, struct error *err)
{
	struct config_args found = {.owned_sets = calloc((size_t)argc + 1, sizeof(char *))};
	int letter;
	int r = 0;

	if (!found.owned_sets) {
		error_set(err, ERROR_CONFIG, "out of memory");
		return -ENOMEM;
	}
	found.sources.sets = found.owned_sets;
	optind = 0; /* glibc: begin anew */
	opterr = 0;
	/* "+": stop at the first word that is no option; ":": tell a missing value from an unknown option. */
	while (r == 0 && (letter = getopt_long(argc, argv, "+:", known, NULL)) != -1)
		r = take(&found, letter, argv[optind - 1], err);
	if (r == 0 && optind < argc)
		r = take(&found, '?', argv[optind], err);
	if (r < 0) {
		config_args_finish(&found);
		return r;
	}
	*args = found;
	return 0;
}

void config_args_finish(struct config_args *args)
{
	free(args->owned_sets);
	*args = (struct config_args){0};
}
