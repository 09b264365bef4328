/* facefleet-scheduler: publishes jobs when they are due, once or again and again. */

#include "daemon/daemon.h"
#include "service.h"

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

static const struct daemon_program program = {
    .name = "facefleet-scheduler",
    .part = "scheduler",
    .help = help,
    .listen = OPTION_SCHEDULER_LISTEN,
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
