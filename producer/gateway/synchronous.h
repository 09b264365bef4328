#ifndef GATEWAY_SYNCHRONOUS_H
#define GATEWAY_SYNCHRONOUS_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/pool.h"
#include "config/config.h"
#include "http/problem.h"

struct gateway;
struct job_body;

/** The synchronous mode: a match is computed in the thread that reads its request. No broker, no tasks, no caches. */
struct synchronous;

/** Loads the models and makes one warm matcher for each thread of `gateway.threads`. Takes a good part of a second. */
int synchronous_new(struct synchronous **out, const struct config *config, struct error *err) must_check;

/** NULL is fine. */
void synchronous_free(struct synchronous *synchronous);

/** Takes over the settings of matching that may change while it runs. */
void synchronous_adopt(struct synchronous *synchronous, const struct config *config);

/** Starts the threads that take matches out of gateway->intake. Returns 0 or a negative errno. */
int synchronous_start_pool(struct pool **out, struct gateway *gateway) must_check;

/**
 * Refuses what takes more than this process (images by URL, callbacks, jobs for later), and what no queue would take
 * for its size. 0 or a negative errno.
 */
int synchronous_check(const struct job_body *body, struct http_problem *problem) must_check;

#endif
