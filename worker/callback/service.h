#ifndef CALLBACK_SERVICE_H
#define CALLBACK_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "obs/metrics.h"
#include "obs/reload.h"

/** The callback service: its links to the broker, its HTTP client, and the loop that runs a courier. */
struct service;

/** Reads the configuration and makes everything that can be refused; connects to nothing yet. */
int service_new(struct service **out, const struct config *config, struct metrics *metrics,
		struct error *err) must_check;

/** Connects to the broker in the background. What arrives waits for service_run(). */
int service_start(struct service *service, struct error *err) must_check;

/**
 * Serves until a stop is requested (see base/stop.h), then stops consuming, lets deliveries under
 * way finish (a second signal hurries) and gives the rest back. Returns 0; or the errno of `err`
 * when a fault that no waiting mends ended it. The calling thread owns the courier.
 */
int service_run(struct service *service, struct reload *reload, struct error *err) must_check;

/** Undoes everything. NULL is fine. */
void service_free(struct service *service);

/** For http_server_settings; `arg` is the started service. Any thread. */
bool service_is_healthy(void *arg, char *why, size_t why_size);
bool service_is_ready(void *arg, char *why, size_t why_size);

#endif
