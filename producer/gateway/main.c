/* facefleet-gateway: the HTTP API. Takes jobs, hands them to the broker, says what became of them. */

#include "gateway.h"
#include "health.h"
#include "nn/blas.h"
#include "obs/program.h"
#include "obs/supervision.h"
#include "store/central_follower.h"

static const char help[] =
    "Usage: facefleet-gateway [--config FILE] [--set KEY=VALUE]... [--print-config]\n"
    "\n"
    "Serves the HTTP API on gateway.listen: matches, verifications, searches and enrolments by POST,\n"
    "what became of them by GET, as it happens on /v1/events; /metrics, /healthz and /readyz. A job is\n"
    "accepted when the broker has confirmed it. SIGTERM refuses new requests and finishes those in\n"
    "hand; a second SIGTERM hurries.\n"
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
	struct gateway *gateway;
	struct supervision *supervision;
};

static int start_supervision(struct parts *parts, struct error *err)
{
	const struct supervision_settings settings = {
	    .healthy = health_is_alive, .ready = health_is_ready, .arg = parts->gateway};

	return supervision_start(&parts->supervision, &settings, err);
}

static int run(struct parts *parts, struct program *program)
{
	struct error err = {0};

	if (central_follower_start(&parts->central, program, "gateway", &err) != 0 ||
	    gateway_new(&parts->gateway, program->config, program->metrics, &err) != 0 ||
	    gateway_start(parts->gateway, &err) != 0 || start_supervision(parts, &err) != 0)
		return program_failed(&err, "start failed");
	if (gateway_run(parts->gateway, program->reload, &err) != 0)
		return program_failed(&err, "cannot go on");
	return PROGRAM_STOPPED;
}

int main(int argc, char **argv)
{
	struct program program = {.name = "facefleet-gateway", .help = help};
	struct parts parts = {0};
	int status;

	nn_blas_choose(argv); /* for the synchronous mode */
	if (program_begin(&program, argc, argv, &status))
		status = run(&parts, &program);
	supervision_stop(parts.supervision);
	gateway_free(parts.gateway);
	central_follower_stop(parts.central);
	program_end(&program);
	return status;
}
