#include "cli/command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/report.h"

#define PROGRAM "facefleet-models"

/* From this program's folder: installed (bin/), and built (build/producer/cli/). */
static const char *const places[] = {PROGRAM, "../../worker/models/" PROGRAM};

/* What was said before the command's name, for a program that has the same options. Those about brokers it has not. */
static const char *shared_option(const char *name)
{
	static const char *const shared[][2] = {{"config", "--config"},
						{"set", "--set"},
						{"quiet", "--quiet"},
						{"help", "--help"},
						{"version", "--version"}};

	for (size_t i = 0; i < array_size(shared); i++)
		if (strcmp(name, shared[i][0]) == 0)
			return shared[i][1];
	return NULL;
}

/* NULL without memory. The words stay where they are. */
static char **make_line(const struct args *args)
{
	char **line = calloc(2 * args->option_count + args->operand_count + 2, sizeof(*line));
	unsigned count = 0;

	if (!line)
		return NULL;
	line[count++] = (char *)PROGRAM;
	for (unsigned i = 0; i < args->option_count; i++) {
		const char *option = shared_option(args->options[i]->name);
		if (option)
			line[count++] = (char *)option;
		if (option && args->values[i])
			line[count++] = (char *)args->values[i];
	}
	for (unsigned i = 0; i < args->operand_count; i++)
		line[count++] = (char *)args->operands[i];
	return line;
}

/* Returns if there is no such program. */
static void execute(char **line)
{
	char folder[PATH_MAX / 2];
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

	folder[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(folder, '/');
	for (size_t i = 0; slash && i < array_size(places); i++) {
		*slash = '\0';
		snprintf(path, sizeof(path), "%s/%s", folder, places[i]);
		execv(path, line);
	}
	execvp(PROGRAM, line);
}

static enum exit_status run(const struct cli *cli)
{
	char **line = make_line(cli->args);

	if (!line) {
		report_error("out of memory");
		return STATUS_LOCAL_FAULT;
	}
	execute(line);
	report_error(PROGRAM " is neither beside facefleet nor in PATH: %s", strerror(errno));
	free(line);
	return STATUS_LOCAL_FAULT;
}

const struct command command_models = {
    .name = "models",
    .operands = "list|show|verify|evaluate|fetch [OPTION...]",
    .summary = "Look after model sets: the networks that find and compare faces",
    .text = "Runs facefleet-models, which has options of its own: see `facefleet models --help` and\n"
	    "facefleet-models(1). No broker is needed.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet models list                     built in, configured, in model.folder\n"
	    "  facefleet models verify ./my-set          hashes, loading, running, milliseconds\n"
	    "  facefleet models evaluate pairs.csv --embedder ./my-set/embedder --roc roc.svg\n"
	    "  facefleet models fetch opencv-zoo         download a stronger set, and check it\n"
	    "\n"
	    "Exit status: 0 done, 1 a set is no good or a download failed, 2 usage, settings or input file,\n"
	    "5 facefleet-models is not there, 130 interrupted.\n",
    .verbatim = true,
    .run = run,
};
