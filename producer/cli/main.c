#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/stop.h"
#include "cli/commands/command.h"
#include "cli/output/report.h"
#include "obs/log.h"
#include "version.h"

/* The settings that the command line changes, as the config module wants them. */
static int load_config(struct config **config, const struct args *args, struct error *err)
{
	struct config_sources sources = {.path = args_value(args, "config")};
	const char **sets = calloc(args->option_count + 1, sizeof(*sets));
	char *broker = NULL;
	int r = 0;

	if (!sets)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	for (unsigned i = 0; i < args->option_count; i++)
		if (strcmp(args->options[i]->name, "set") == 0)
			sets[sources.set_count++] = args->values[i];
	if (args_count(args, "broker") > 0) {
		if (asprintf(&broker, "amqp.url=%s", args_value(args, "broker")) < 0)
			r = error_set(err, ERROR_INTERNAL, "out of memory");
		else
			sets[sources.set_count++] = broker;
	}
	sources.sets = sets;
	if (r == 0)
		r = config_load(config, &sources, err);
	free(broker);
	free(sets);
	return r;
}

/* What goes wrong for good is reported by the commands themselves: the log is for who wants to watch. */
static void set_up_log(const struct args *args)
{
	static const enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};
	unsigned verbose = args_count(args, "verbose");
	unsigned most = array_size(levels) - 1;

	log_setup("facefleet", levels[verbose < most ? verbose : most], LOG_FORMAT_AUTO);
}

static enum exit_status run_command(const struct command *command, const struct args *args)
{
	struct cli cli = {.args = args, .quiet = args_count(args, "quiet") > 0};
	struct config *config = NULL;
	struct error err = {0};

	set_up_log(args);
	if (command->configured && load_config(&config, args, &err) < 0) {
		report_error("%s", err.text);
		return STATUS_USAGE;
	}
	cli.config = config;
	if (config)
		scene_use(config_scenes(config));
	enum exit_status status = command->run(&cli);
	config_free(config);
	return status;
}

/* Options, the command's name, more options and operands. */
static enum exit_status run_line(struct args *args, int argc, const char *const *argv)
{
	const struct arg_option *tables[1 + COMMAND_TABLES] = {command_global_options};
	const struct command *command = NULL;
	struct error err = {0};
	int taken = args_parse(args, argc, argv, tables, true, &err);

	if (taken < 0)
		return command_usage(NULL, "%s", err.text);
	if (args->operand_count > 0) {
		command = command_find(args->operands[0]);
		if (!command)
			return command_unknown(args->operands[0]);
		args->operand_count = 0;
		if (command->verbatim) {
			for (int i = taken; i < argc; i++)
				args->operands[args->operand_count++] = argv[i];
			taken = argc;
		}
		memcpy(tables + 1, command->options, sizeof(command->options));
		if (args_parse(args, argc - taken, argv + taken, tables, false, &err) < 0)
			return command_usage(command, "%s", err.text);
	}
	if (args_count(args, "version") > 0) {
		puts("facefleet " FACEFLEET_VERSION);
		return STATUS_OK;
	}
	if (args_count(args, "help") > 0) {
		command_print_help(command, stdout);
		return STATUS_OK;
	}
	if (!command)
		return command_usage(NULL, "what should be done? Name a command");
	return run_command(command, args);
}

/* What was printed must have arrived; a reader that closed its end has seen enough. */
static enum exit_status flush(enum exit_status status)
{
	errno = 0; /* of an earlier fault only that there was one is known */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno == EPIPE)
		return status;
	report_error("standard output: %s", errno != 0 ? strerror(errno) : "not all could be written");
	return STATUS_LOCAL_FAULT;
}

int main(int argc, char **argv)
{
	const char *const *words = (const char *const *)argv + 1;
	struct args args;

	if (stop_install() < 0 || args_init(&args, argc - 1, words) < 0) {
		report_error("cannot start: %s", strerror(errno));
		return STATUS_LOCAL_FAULT;
	}
	enum exit_status status = flush(run_line(&args, argc - 1, words));
	args_finish(&args);
	return status;
}
