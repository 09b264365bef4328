/* facefleet-models: looks after model sets. `facefleet models …` runs it. */

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/stop.h"
#include "commands.h"
#include "nn/blas.h"
#include "version.h"

#define MAX_THREADS 256

static const char help[] =
    "usage: facefleet models COMMAND [OPTION...]\n"
    "\n"
    "Looks after model sets: the networks that find and compare faces.\n"
    "\n"
    "  list                 the sets on this machine: built in, configured, in model.folder\n"
    "  show SET|DIR         all of its model.yaml, its operators and what it costs\n"
    "  verify [SET|DIR...]  check hashes, load, run and time; without operands every set\n"
    "  evaluate PAIRS.csv   accuracy on labelled pairs (id,image_a,image_b,label), and thresholds\n"
    "  fetch NAME           download what a recipe names into model.folder, and check it\n"
    "  reembed [COLLECTION...]  compute the embeddings that enrolled people lack of this model\n"
    "\n"
    "      --json           list, show, evaluate: print JSON\n"
    "      --detector DIR   evaluate: folder of the detector; without it the configured one\n"
    "      --embedder DIR   evaluate, reembed: folder of the embedder; without it the configured one\n"
    "      --roc OUT.svg    evaluate: plot true over false accepts\n"
    "      --threads N      threads; without it evaluate takes one for each processor, reembed one\n"
    "  -c, --config FILE    settings (default: $FACEFLEET_CONFIG, /etc/facefleet/facefleet.yaml)\n"
    "  -s, --set KEY=VALUE  one setting, over file and environment\n"
    "  -q, --quiet          no progress, only results and errors\n"
    "  -h, --help, -V, --version\n"
    "\n"
    "Exit status: 0 done, 1 a set is no good, a download failed or images are left over, 2 usage, settings\n"
    "or input file, 4 no store, 130 interrupted.\n";

static const struct command {
	const char *name;
	enum models_status (*run)(const struct request *request);
	bool json;
	bool evaluates;
	bool embeds;
} commands[] = {
    {"list", command_list, .json = true},
    {"show", command_show, .json = true},
    {"verify", command_verify},
    {"evaluate", command_evaluate, .json = true, .evaluates = true, .embeds = true},
    {"fetch", command_fetch},
    {"reembed", command_reembed, .embeds = true},
};

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"detector", required_argument, NULL, 'D'},
    {"embedder", required_argument, NULL, 'E'},
    {"help", no_argument, NULL, 'h'},
    {"json", no_argument, NULL, 'j'},
    {"quiet", no_argument, NULL, 'q'},
    {"roc", required_argument, NULL, 'R'},
    {"set", required_argument, NULL, 's'},
    {"threads", required_argument, NULL, 'T'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

/* The command line, and where the settings are. */
struct line {
	struct request request;
	struct config_sources sources;
	const char **sets;
	const char *threads;
	bool help;
	bool version;
};

void complain(const struct error *err)
{
	fprintf(stderr, "facefleet-models: %s\n", err->text);
}

static int read_line(struct line *line, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:hjqs:V", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			line->sources.path = optarg;
			break;
		case 'D':
			line->request.detector = optarg;
			break;
		case 'E':
			line->request.embedder = optarg;
			break;
		case 'h':
			line->help = true;
			break;
		case 'j':
			line->request.json = true;
			break;
		case 'q':
			line->request.quiet = true;
			break;
		case 'R':
			line->request.roc = optarg;
			break;
		case 's':
			line->sets[line->sources.set_count++] = optarg;
			break;
		case 'T':
			line->threads = optarg;
			break;
		case 'V':
			line->version = true;
			break;
		default: /* getopt has said what is wrong */
			return -EINVAL;
		}
	}
	line->sources.sets = line->sets;
	return 0;
}

static int check_line(struct line *line, const struct command *command, struct error *err)
{
	struct request *request = &line->request;
	char *end = NULL;

	if (!command->json && request->json)
		return error_set(err, ERROR_CONFIG, "--json does not go with %s", command->name);
	if (!command->evaluates && (request->detector || request->roc))
		return error_set(err, ERROR_CONFIG, "--detector and --roc go with evaluate");
	if (!command->embeds && (request->embedder || line->threads))
		return error_set(err, ERROR_CONFIG, "--embedder and --threads go with evaluate and reembed");
	if (!line->threads)
		return 0;
	long threads = strtol(line->threads, &end, 10);
	if (*end || end == line->threads || threads < 1 || threads > MAX_THREADS)
		return error_set(err, ERROR_CONFIG, "--threads %.40s: a number from 1 to %d is expected", line->threads,
				 MAX_THREADS);
	request->threads = (int)threads;
	return 0;
}

static enum models_status run_command(struct line *line, const struct command *command)
{
	struct config *config = NULL;
	struct error err = {0};
	int r = check_line(line, command, &err);

	if (r == 0)
		r = config_load(&config, &line->sources, &err);
	if (r < 0) {
		complain(&err);
		return MODELS_USAGE;
	}
	line->request.config = config;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	enum models_status status = command->run(&line->request);
	curl_global_cleanup();
	config_free(config);
	return stop_requested() ? MODELS_ABORTED : status;
}

static enum models_status run(struct line *line, int argc, char **argv)
{
	struct error err = {0};

	if (read_line(line, argc, argv) < 0)
		return MODELS_USAGE;
	if (line->help || line->version) {
		puts(line->help ? help : "facefleet-models " FACEFLEET_VERSION);
		return MODELS_OK;
	}
	for (size_t i = 0; optind < argc && i < array_size(commands); i++) {
		if (strcmp(commands[i].name, argv[optind]) == 0) {
			line->request.operands = argv + optind + 1;
			line->request.operand_count = argc - optind - 1;
			return run_command(line, &commands[i]);
		}
	}
	if (optind < argc)
		error_set(&err, ERROR_CONFIG,
			  "no command \"%.60s\"; there are list, show, verify, evaluate, fetch and reembed",
			  argv[optind]);
	else
		error_set(&err, ERROR_CONFIG,
			  "what should be done? There are list, show, verify, evaluate, fetch and reembed");
	complain(&err);
	return MODELS_USAGE;
}

int main(int argc, char **argv)
{
	struct line line = {0};

	nn_blas_choose(argv);
	line.sets = calloc((size_t)argc + 1, sizeof(*line.sets));
	if (!line.sets || stop_install() < 0) {
		fprintf(stderr, "facefleet-models: cannot start: %s\n", strerror(errno));
		return MODELS_FAILED;
	}
	enum models_status status = run(&line, argc, argv);
	free(line.sets);
	if (fflush(stdout) != 0 && status == MODELS_OK && errno != EPIPE) {
		fprintf(stderr, "facefleet-models: standard output: %s\n", strerror(errno));
		return MODELS_FAILED;
	}
	return status;
}
