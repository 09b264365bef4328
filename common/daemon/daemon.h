#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"
#include "obs/metrics.h"
#include "obs/reload.h"

/** What a program does all its life. Each program has its own. */
struct service;

/** A program that is a service with a page for metrics and health, and follows what the fleet shares. */
struct daemon_program {
	const char *name;      /**< "facefleet-tracker" */
	const char *part;      /**< what the fleet's settings call it: "tracker" */
	const char *help;      /**< the whole text of --help */
	enum option_id listen; /**< where its page is */

	/** Reads the configuration and makes everything that can be refused; connects to nothing yet. */
	int (*make)(struct service **out, const struct config *config, struct metrics *metrics, struct error *err);
	/** Starts its threads and connections. */
	int (*start)(struct service *service, struct error *err);
	/** Serves until a stop is requested. Returns 0, or the errno of `err` when it cannot go on. */
	int (*run)(struct service *service, struct reload *reload, struct error *err);
	/** Undoes everything. NULL is fine. */
	void (*free)(struct service *service);
	/** For http_server_settings; `service` is the started one. */
	bool (*healthy)(void *service, char *why, size_t why_size);
	bool (*ready)(void *service, char *why, size_t why_size);
};

/** The program's main(): options, settings, the service and what stands around it; undoes all. Its exit status. */
int daemon_main(const struct daemon_program *kind, int argc, char **argv);

#endif
