#ifndef OBS_PROGRAM_H
#define OBS_PROGRAM_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "config/handover.h"
#include "obs/metrics.h"
#include "obs/reload.h"

/** What every long-running program begins and ends with. Name and help are set by main(). */
struct program {
	const char *name;      /**< "facefleet-worker" */
	const char *help;      /**< the whole text of --help */
	struct config *config; /**< as the program began */
	struct metrics *metrics;
	struct reload *reload; /**< what became of the settings since */
	struct config_args args;
	struct handover left; /* by the program that executed itself as this one */
};

/** Exit statuses of a long-running program. */
enum program_status { PROGRAM_STOPPED = 0, PROGRAM_FAILED = 1, PROGRAM_USAGE = 2 };

/**
 * Reads the command line and the settings (those of before, if it was executed by program_renew()), answers --help,
 * --version and --print-config, installs the signal handlers, sets the log up and makes the metrics. True: go on.
 * False: the program is to end with *status; what was wrong has been said on stderr. Call before any thread starts;
 * program_end() follows in any case.
 */
bool program_begin(struct program *program, int argc, char **argv, int *status) must_check;

/**
 * Takes over what reload_set_central() has been given already, so that the program begins with it; not after
 * program_renew(): what the program of before has not checked waits for the first reload_poll() then. Before anything
 * is made of program->config, which it changes.
 */
void program_settle(struct program *program);

/** Logs why the program ends; the status it ends with. */
int program_failed(const struct error *err, const char *what);

/** Frees settings and metrics. */
void program_end(struct program *program);

/**
 * Ends the program as program_end() does and executes it anew with these arguments, in the same process and with the
 * settings it had: others may have been written since, and wrong ones. A stop that comes meanwhile is not lost. No
 * other thread runs. Returns only if a stop was asked for already (PROGRAM_STOPPED), or it cannot be done, which is
 * logged.
 */
int program_renew(struct program *program, char **argv);

#endif
