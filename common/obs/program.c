#include "obs/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/executable.h"
#include "base/hangup.h"
#include "base/stop.h"
#include "base/thread.h"
#include "obs/log.h"
#include "version.h"

static void set_up_log(const struct program *program)
{
	enum log_level level = LOG_LEVEL_INFO;
	enum log_format format = LOG_FORMAT_AUTO;

	/* The option table lets only these names pass, so the defaults above never survive a bad one. */
	if (log_level_from_name(config_string(program->config, OPTION_LOG_LEVEL), &level) < 0 ||
	    log_format_from_name(config_string(program->config, OPTION_LOG_FORMAT), &format) < 0)
		log_warning(NULL, "unknown log settings");
	log_setup(program->name, level, format);
}

static int read_settings(struct program *program, struct error *err)
{
	int r = handover_take(&program->left, err);

	if (r < 0)
		return r;
	program->config = program->left.config;
	program->left.config = NULL;
	return program->config ? 0 : config_load(&program->config, &program->args.sources, err);
}

static bool was_renewed(const struct program *program)
{
	return program->left.settings != NULL;
}

static int make_reload(struct program *program)
{
	program->metrics = metrics_new();
	if (program->metrics)
		program->reload = reload_new(program->config, &program->args.sources, program->metrics);
	if (!program->reload)
		return -ENOMEM;
	return was_renewed(program) ? reload_continue(program->reload, program->left.shared, program->left.shared_count)
				    : 0;
}

static bool begin(struct program *program, int *status)
{
	const struct config_args *args = &program->args;
	struct error err;

	*status = PROGRAM_STOPPED;
	if (args->help) {
		printf("%s", program->help);
		return false;
	}
	if (args->version) {
		printf("%s %s\n", program->name, FACEFLEET_VERSION);
		return false;
	}
	if (read_settings(program, &err) < 0) {
		fprintf(stderr, "%s: %s\n", program->name, err.text);
		*status = PROGRAM_USAGE;
		return false;
	}
	if (args->print_config) {
		config_print(program->config, stdout);
		return false;
	}
	if (make_reload(program) < 0 || stop_install() < 0 || hangup_install() < 0) {
		fprintf(stderr, "%s: cannot set up metrics or signals\n", program->name);
		*status = PROGRAM_FAILED;
		return false;
	}
	/* What was executed as /proc/self/exe is called "exe" otherwise. */
	thread_set_name("%s", program->name);
	set_up_log(program);
	scene_use(config_scenes(program->config));
	return true;
}

bool program_begin(struct program *program, int argc, char **argv, int *status)
{
	struct error err;

	if (config_parse_args(&program->args, argc, argv, &err) < 0) {
		fprintf(stderr, "%s: %s\n%s", program->name, err.text, program->help);
		*status = PROGRAM_USAGE;
		return false;
	}
	return begin(program, status);
}

void program_settle(struct program *program)
{
	if (was_renewed(program) || !reload_poll(program->reload))
		return;
	config_free(program->config);
	program->config = reload_release(program->reload);
}

int program_failed(const struct error *err, const char *what)
{
	log_error(NULL, what, LOG_ERROR_FIELDS(err));
	return err->code == ERROR_CONFIG ? PROGRAM_USAGE : PROGRAM_FAILED;
}

void program_end(struct program *program)
{
	reload_free(program->reload);
	config_args_finish(&program->args);
	metrics_free(program->metrics);
	config_free(program->config);
	handover_finish(&program->left);
}

int program_renew(struct program *program, char **argv)
{
	int r = reload_hand_over(program->reload);

	if (r < 0)
		log_warning(NULL, "the program reads all settings anew", log_string("error", strerror(-r)));
	program_end(program);
	hangup_ignore();
	stop_hand_over();
	if (stop_requested() > 0)
		return PROGRAM_STOPPED;
	execv(executable_again(), argv);
	log_error(NULL, "cannot execute the program anew", log_string("error", strerror(errno)));
	return PROGRAM_FAILED;
}
