#include "daemon/daemon.h"

#include "http/server.h"
#include "obs/program.h"
#include "obs/supervision.h"
#include "store/central_follower.h"

/* What lives as long as the program runs. */
struct parts {
	struct central_follower *central; /* NULL: no store */
	struct service *service;
	struct http_server *server;
	struct supervision *supervision;
};

static int start_server(struct parts *parts, const struct daemon_program *kind, const struct program *program,
			struct error *err)
{
	const struct http_server_settings settings = {
	    .listen = config_string(program->config, kind->listen),
	    .metrics = program->metrics,
	    .healthy = kind->healthy,
	    .ready = kind->ready,
	    .arg = parts->service,
	};

	return http_server_start(&parts->server, &settings, err);
}

static int start_supervision(struct parts *parts, const struct daemon_program *kind, struct error *err)
{
	const struct supervision_settings settings = {
	    .healthy = kind->healthy, .ready = kind->ready, .arg = parts->service};

	return supervision_start(&parts->supervision, &settings, err);
}

static int run(struct parts *parts, const struct daemon_program *kind, struct program *program)
{
	struct error err = {0};

	/* The service before the page that asks it. */
	if (central_follower_start(&parts->central, program, kind->part, &err) != 0 ||
	    kind->make(&parts->service, program->config, program->metrics, &err) != 0 ||
	    kind->start(parts->service, &err) != 0 || start_server(parts, kind, program, &err) != 0 ||
	    start_supervision(parts, kind, &err) != 0)
		return program_failed(&err, "start failed");
	if (kind->run(parts->service, program->reload, &err) != 0)
		return program_failed(&err, "cannot go on");
	return PROGRAM_STOPPED;
}

int daemon_main(const struct daemon_program *kind, int argc, char **argv)
{
	struct program program = {.name = kind->name, .help = kind->help};
	struct parts parts = {0};
	int status;

	if (program_begin(&program, argc, argv, &status))
		status = run(&parts, kind, &program);
	supervision_stop(parts.supervision);
	http_server_stop(parts.server);
	kind->free(parts.service);
	central_follower_stop(parts.central);
	program_end(&program);
	return status;
}
