#ifndef CLI_ERASURE_H
#define CLI_ERASURE_H

#include <stdbool.h>

#include "cli/output/exit_status.h"
#include "config/config.h"

/** Whom `facefleet erase` removes. */
struct erasure_settings {
	const struct config *config;
	bool quiet; /**< what was removed is not printed */
	const char *user_id;
	const char *collection; /**< NULL: in every collection */
};

/**
 * Removes a person from the store, from Redis and the memory of the workers, from the kept replies of searches and from
 * the parked messages; prints what
 * was removed, reports what could not be reached, and goes on with the rest. Can be repeated. STATUS_OK when everything
 * was reached. Blocking, bounded but for the number of kept tasks and of parked messages; ends early on a signal.
 */
enum exit_status erasure_run(const struct erasure_settings *settings);

#endif
