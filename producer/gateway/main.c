/* facefleet-gateway: the HTTP API. Takes jobs, hands them to the broker, says what became of them. */

#include "gateway.h"
#include "nn/blas.h"
#include "obs/program.h"

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

static int run(struct gateway **gateway, const struct program *program)
{
	struct error err = {0};

	if (gateway_new(gateway, program->config, program->metrics, &err) != 0 || gateway_start(*gateway, &err) != 0)
		return program_failed(&err, "start failed");
	if (gateway_run(*gateway, &err) != 0)
		return program_failed(&err, "cannot go on");
	return PROGRAM_STOPPED;
}

int main(int argc, char **argv)
{
	struct program program = {.name = "facefleet-gateway", .help = help};
	struct gateway *gateway = NULL;
	int status;

	nn_blas_choose(argv); /* for the synchronous mode */
	if (program_begin(&program, argc, argv, &status))
		status = run(&gateway, &program);
	gateway_free(gateway);
	program_end(&program);
	return status;
}
