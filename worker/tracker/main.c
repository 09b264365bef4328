/* facefleet-tracker: records every state of every task in the store. */

#include "daemon/daemon.h"
#include "service.h"

static const char help[] =
    "Usage: facefleet-tracker [--config FILE] [--set KEY=VALUE]... [--print-config]\n"
    "\n"
    "Records what becomes of every task in the store: its state, its reply, and each transition.\n"
    "Closes tasks that no worker answers by their deadline, tells of those that run for longer than\n"
    "tracker.lease_ms, and removes finished ones after tracker.keep_ms. While the store cannot be\n"
    "reached, messages wait on the broker. Several may run. SIGTERM records what is in hand.\n"
    "\n"
    "  --config FILE    settings (default: $FACEFLEET_CONFIG, /etc/facefleet/facefleet.yaml)\n"
    "  --set KEY=VALUE  one setting, over file and environment\n"
    "  --print-config   the effective settings and where each came from, then exit\n"
    "  --version, --help\n"
    "\n"
    "Exit status: 0 stopped, 1 it could not go on, 2 wrong usage or configuration.\n";

static const struct daemon_program program = {
    .name = "facefleet-tracker",
    .part = "tracker",
    .help = help,
    .listen = OPTION_TRACKER_LISTEN,
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
