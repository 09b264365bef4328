#ifndef SCHEDULER_SERVICE_H
#define SCHEDULER_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "obs/metrics.h"
#include "obs/reload.h"

/** The scheduler between main() and its parts: the link, the store, the loop, health. */
struct service;

/** Makes everything from the settings, which must outlive it. `err` (config) names the setting that is wrong. */
int service_new(struct service **out, const struct config *config, struct metrics *metrics,
		struct error *err) must_check;

/** NULL is fine. */
void service_free(struct service *service);

/** Starts the link and opens the store. A store that cannot be reached is waited for; one of another schema is fatal.
 */
int service_start(struct service *service, struct error *err) must_check;

/** Works until a stop is asked for or something fatal happens, and finishes what is under way. */
int service_run(struct service *service, struct reload *reload, struct error *err) must_check;

/** For the HTTP server; `arg` is the service. Any thread, never block. */
bool service_is_healthy(void *arg, char *why, size_t why_size);
bool service_is_ready(void *arg, char *why, size_t why_size);

#endif
