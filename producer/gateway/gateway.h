#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "obs/metrics.h"
#include "obs/reload.h"

/** The gateway: its links to the broker, its threads, its HTTP service, and the loop that hears what happens to tasks.
 */
struct gateway;

/** Reads the configuration and makes everything that can be refused; connects to nothing yet. */
int gateway_new(struct gateway **out, const struct config *config, struct metrics *metrics,
		struct error *err) must_check;

/** Connects to the broker in the background and listens. */
int gateway_start(struct gateway *gateway, struct error *err) must_check;

/**
 * Serves until a stop is requested (see base/stop.h), then refuses new requests and lets those in hand finish (a second
 * signal hurries). Returns 0; or the errno of `err` when a fault that no waiting mends ended it.
 */
int gateway_run(struct gateway *gateway, struct reload *reload, struct error *err) must_check;

/** Undoes everything. NULL is fine. */
void gateway_free(struct gateway *gateway);

#endif
