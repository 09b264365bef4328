/* facefleet-callback: posts the replies that asked for it to their callback URLs, signed. */

#include <stdio.h>
#include <stdlib.h>

#include "base/stop.h"
#include "config/config.h"
#include "http/server.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "obs/setup.h"
#include "service.h"
#include "version.h"

enum { EXIT_RUNTIME = 1, EXIT_USAGE = 2 };

static const char help[] =
    "Usage: facefleet-callback [--config FILE] [--set KEY=VALUE]... [--print-config]\n"
    "\n"
    "Posts finished tasks to the callback URLs their jobs gave, signed as Standard Webhooks 1.0\n"
    "says. What is not answered with 2xx is tried again after the waits of callback.schedule, and\n"
    "parked in facefleet.dead.parked in the end. Needs callback.secret. SIGTERM finishes the\n"
    "callbacks under way and gives the rest back; a second SIGTERM hurries.\n"
    "\n"
    "  --config FILE    settings (default: $FACEFLEET_CONFIG, /etc/facefleet/facefleet.yaml)\n"
    "  --set KEY=VALUE  one setting, over file and environment\n"
    "  --print-config   the effective settings and where each came from, then exit\n"
    "  --version, --help\n"
    "\n"
    "Exit status: 0 stopped, 1 it could not go on, 2 wrong usage or configuration.\n";

/* What stays in memory as long as the program runs. */
struct program {
	struct config *config;
	struct metrics *metrics;
	struct service *service;
	struct http_server *server;
};

static int start_server(struct program *program, struct error *err)
{
	const struct http_server_settings settings = {
	    .listen = config_string(program->config, OPTION_CALLBACK_LISTEN),
	    .metrics = program->metrics,
	    .healthy = service_is_healthy,
	    .ready = service_is_ready,
	    .arg = program->service,
	};
	int r = http_server_start(&program->server, &settings, err);

	if (r == 0)
		log_info(NULL, "listening", log_string("address", settings.listen),
			 log_integer("port", http_server_port(program->server)));
	return r;
}

static int run(struct program *program)
{
	struct error err = {0};

	if (service_new(&program->service, program->config, program->metrics, &err) != 0 ||
	    service_start(program->service, &err) != 0 || start_server(program, &err) != 0) {
		log_error(NULL, "start failed", LOG_ERROR_FIELDS(&err));
		return err.code == ERROR_CONFIG ? EXIT_USAGE : EXIT_RUNTIME;
	}
	if (service_run(program->service, &err) != 0) {
		log_error(NULL, "cannot go on", LOG_ERROR_FIELDS(&err));
		return EXIT_RUNTIME;
	}
	return EXIT_SUCCESS;
}

static void finish(struct program *program)
{
	http_server_stop(program->server);
	service_free(program->service);
	metrics_free(program->metrics);
	config_free(program->config);
}

int main(int argc, char **argv)
{
	struct program program = {0};
	struct config_args args = {0};
	struct error err = {0};
	int status = EXIT_USAGE;

	if (config_parse_args(&args, argc, argv, &err) != 0) {
		fprintf(stderr, "facefleet-callback: %s\n%s", err.text, help);
	} else if (args.help || args.version) {
		printf("%s", args.help ? help : "facefleet-callback " FACEFLEET_VERSION "\n");
		status = EXIT_SUCCESS;
	} else if (config_load(&program.config, &args.sources, &err) != 0) {
		fprintf(stderr, "facefleet-callback: %s\n", err.text);
	} else if (args.print_config) {
		config_print(program.config, stdout);
		status = EXIT_SUCCESS;
	} else if (stop_install() != 0 || !(program.metrics = metrics_new())) {
		fprintf(stderr, "facefleet-callback: cannot set up signals or metrics\n");
		status = EXIT_RUNTIME;
	} else {
		log_setup_from_config("facefleet-callback", program.config);
		status = run(&program);
	}
	finish(&program);
	config_args_finish(&args);
	return status;
}
