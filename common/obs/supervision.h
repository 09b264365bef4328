#ifndef OBS_SUPERVISION_H
#define OBS_SUPERVISION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

/**
 * Tells the service manager (notify.h) how a long-running program is, from a thread of its own: READY=1 when the
 * program is ready for the first time, WATCHDOG=1 twice in the manager's time as long as it is healthy, STOPPING=1 when
 * it was asked to stop. So a program that hangs is not fed, also while it stops.
 */
struct supervision;

struct supervision_settings {
	/** As for /healthz and /readyz: must not block; any thread. */
	bool (*healthy)(void *arg, char *why, size_t why_size);
	bool (*ready)(void *arg, char *why, size_t why_size);
	void *arg;
};

/** Begins; NULL into `out` when no manager listens. After stop_install(). */
int supervision_start(struct supervision **out, const struct supervision_settings *settings,
		      struct error *err) must_check;

/** Says that the program will be executed anew; so supervision_stop() does not say that it stops. NULL is fine. */
void supervision_renew(struct supervision *supervision);

/** Says that the program stops, if it has not, and says no more. Before what `arg` points to is freed. NULL is fine. */
void supervision_stop(struct supervision *supervision);

#endif
