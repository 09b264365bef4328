/* facefleet-scheduler: publishes jobs when they are due, once or again and again. */

#include "http/server.h"
#include "obs/program.h"
#include "obs/supervision.h"
#include "service.h"
#include "store/central_follower.h"

static const char help[] =
    "Usage: facefleet-scheduler [--config FILE] [--set KEY=VALUE]... [--print-config]\n"
    "\n"
    "Publishes the jobs of the store's schedules when they are due. Several may run: one acts, and\n"
    "another takes over within scheduler.lock_ttl_ms of its end. Needs store.url. SIGTERM finishes\n"
    "what is under way to the broker and hands over.\n"
    "\n"
    "  --config FILE    settings (default: $FACEFLEET_CONFIG, /etc/facefleet/facefleet.yaml)\n"
    "  --set KEY=VALUE  one setting, over file and environment\n"
    "  --print-config   the effective settings and where each came from, then exit\n"
    "  --version, --help\n"
    "\n"
    "Exit status: 0 stopped, 1 it could not go on, 2 wrong usage or configuration.\n";

/* What lives as long as the program runs. */
struct parts {
	struct central_follower *central; /* NULL: no store */
	struct service *service;
	struct http_server *server;
	struct supervision *supervision;
};

static int start_server(struct parts *parts, const struct program *program, struct error *err)
{
	const struct http_server_settings settings = {
	    .listen = config_string(program->config, OPTION_SCHEDULER_LISTEN),
	    .metrics = program->metrics,
	    .healthy = service_is_healthy,
	    .ready = service_is_ready,
	    .arg = parts->service,
	};

	return http_server_start(&parts->server, &settings, err);
}

static int start_supervision(struct parts *parts, struct error *err)
{
	const struct supervision_settings settings = {
	    .healthy = service_is_healthy, .ready = service_is_ready, .arg = parts->service};

	return supervision_start(&parts->supervision, &settings, err);
}

static int run(struct parts *parts, struct program *program)
{
	struct error err = {0};

	/* The link before the page that asks it. */
	if (central_follower_start(&parts->central, program, "scheduler", &err) != 0 ||
	    service_new(&parts->service, program->config, program->metrics, &err) != 0 ||
	    service_start(parts->service, &err) != 0 || start_server(parts, program, &err) != 0 ||
	    start_supervision(parts, &err) != 0)
		return program_failed(&err, "start failed");
	if (service_run(parts->service, program->reload, &err) != 0)
		return program_failed(&err, "cannot go on");
	return PROGRAM_STOPPED;
}

int main(int argc, char **argv)
{
	struct program program = {.name = "facefleet-scheduler", .help = help};
	struct parts parts = {0};
	int status;

	if (program_begin(&program, argc, argv, &status))
		status = run(&parts, &program);
	supervision_stop(parts.supervision);
	http_server_stop(parts.server);
	service_free(parts.service);
	central_follower_stop(parts.central);
	program_end(&program);
	return status;
}
