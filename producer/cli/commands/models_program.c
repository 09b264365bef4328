#include "cli/commands/models_program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "cli/output/report.h"

#define PROGRAM "facefleet-models"

/* From this program's folder: installed (bin/), and built (build/producer/cli/). */
static const char *const places[] = {PROGRAM, "../../worker/models/" PROGRAM};

/* What was said before the command's name, for a program that has the same options. Those about brokers it has not. */
static const char *shared_option(const char *name)
{
	static const char *const shared[][2] = {
	    {"config", "--config"},   {"set", "--set"},           {"quiet", "--quiet"},    {"help", "--help"},
	    {"version", "--version"}, {"embedder", "--embedder"}, {"threads", "--threads"}};

	for (size_t i = 0; i < array_size(shared); i++)
		if (strcmp(name, shared[i][0]) == 0)
			return shared[i][1];
	return NULL;
}

/* NULL without memory. The words stay where they are. */
static char **make_line(const struct args *args, const char *command, unsigned first_operand)
{
	char **line = calloc(2 * args->option_count + args->operand_count + 4, sizeof(*line));
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
	if (command) {
		line[count++] = (char *)command;
		line[count++] = (char *)"--";
	}
	for (unsigned i = first_operand; i < args->operand_count; i++)
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

enum exit_status models_program_run(const struct args *args, const char *command, unsigned first_operand)
{
	char **line = make_line(args, command, first_operand);

	if (!line) {
		report_error("out of memory");
		return STATUS_LOCAL_FAULT;
	}
	execute(line);
	report_error(PROGRAM " is neither beside facefleet nor in PATH: %s", strerror(errno));
	free(line);
	return STATUS_LOCAL_FAULT;
}
