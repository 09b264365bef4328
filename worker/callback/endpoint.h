#ifndef CALLBACK_ENDPOINT_H
#define CALLBACK_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/compiler.h"

/*
 * Fairness between endpoints (scheme, host and port): each gets so many deliveries at a time, the
 * others wait in its line. From the line of one that is slow, all but a short piece can be shed, so
 * that it never fills the hands of the program.
 *
 * Owned by one thread. It allocates an endpoint when it is first used and frees it when nothing
 * runs or waits there.
 */

/** How long the head of a line waits before the endpoint counts as slow. */
#define ENDPOINT_PATIENCE_MS 1000
/** How long anybody waits in a line at most: with all that may follow far below the broker's consumer_timeout. */
#define ENDPOINT_LONGEST_MS (10 * 60 * 1000)

struct endpoint;
struct endpoints;

/** A delivery's place at its endpoint; embedded in the delivery. Zero-initialise it. */
struct endpoint_place {
	struct endpoint *endpoint; /**< NULL: at none */
	bool running;
	int64_t since_ms; /**< waiting since (monotonic) */
	TAILQ_ENTRY(endpoint_place) link;
};

/** `limit` (≥ 1) deliveries run at one endpoint at a time. NULL when memory is out. */
struct endpoints *endpoints_new(unsigned limit) must_check;
void endpoints_free(struct endpoints *endpoints);

/** Takes a place at the endpoint of `origin` (see http/url.h): 0 and `place->running` says whether it may run now or
 * waits in line; or -ENOMEM. */
int endpoints_enter(struct endpoints *endpoints, struct endpoint_place *place, const char *origin,
		    int64_t now_ms) must_check;

/** Gives a place back, from the line or from running. Returns the place whose turn comes (it runs now), or NULL. */
struct endpoint_place *endpoints_leave(struct endpoints *endpoints, struct endpoint_place *place) must_check;

/** Another limit (≥ 1) from now on. Those that run beyond it go on; for those that may now run, see the next one. */
void endpoints_set_limit(struct endpoints *endpoints, unsigned limit);

/** A place whose turn has come since the limit was raised (it runs now); NULL when there is none. */
struct endpoint_place *endpoints_start_next(struct endpoints *endpoints) must_check;

/**
 * Takes the last place out of the line of a slow endpoint, if more wait there than may run. NULL
 * when there is no such endpoint.
 */
struct endpoint_place *endpoints_shed(struct endpoints *endpoints, int64_t now_ms) must_check;

/** Takes the first place that has waited for ENDPOINT_LONGEST_MS out of its line, NULL when there is none. */
struct endpoint_place *endpoints_shed_overdue(struct endpoints *endpoints, int64_t now_ms) must_check;

/** What was entered: scheme, host and port. Good until the place is left. */
const char *endpoint_origin(const struct endpoint_place *place);

/** Places in lines and places running. */
size_t endpoints_waiting(const struct endpoints *endpoints);
size_t endpoints_running(const struct endpoints *endpoints);

#endif
