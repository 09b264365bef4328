/* facefleet-callback: posts the replies that asked for it to their callback URLs, signed. */

#include "daemon/daemon.h"
#include "service.h"

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

static const struct daemon_program program = {
    .name = "facefleet-callback",
    .part = "callback",
    .help = help,
    .listen = OPTION_CALLBACK_LISTEN,
    .make = service_new,
    .start = service_start,
    .run = service_run,
    .free = service_free,
    .healthy = service_is_healthy,
    .ready = service_is_ready,
};

int main(int argc, char **argv)
{
	return daemon_main(&program, argc, argv);
}
