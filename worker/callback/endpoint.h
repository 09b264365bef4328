#ifndef CALLBACK_ENDPOINT_H
#define CALLBACK_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * Fairness between endpoints (scheme, host and port): each gets so many deliveries at a time, the
 * others wait in its line. An endpoint whose line does not move may keep only a short one; what is
 * behind is shed, so that a slow endpoint never fills the hands of the program.
 *
 * Owned by one thread. It allocates an endpoint when it is first used and frees it when nothing
 * runs or waits there.
 */

/** "https://" and the longest host name, a port and the terminating zero. */
#define ENDPOINT_KEY_SIZE 272

/** How long the head of a line waits before the endpoint counts as slow. */
#define ENDPOINT_PATIENCE_MS 1000

struct endpoint;
struct endpoints;

/** A delivery's place at its endpoint; embedded in the delivery. Zero-initialise it. */
struct endpoint_place {
	struct endpoint *endpoint; /**< NULL: at none */
	bool running;
	int64_t since_ms; /**< waiting since (monotonic) */
	TAILQ_ENTRY(endpoint_place) link;
};

/**
 * Writes `scheme://host:port` of a URL, lower case, default port filled in. -EBADMSG and `err` if
 * it is not an absolute http or https URL.
 */
int endpoint_key(const char *url, char out[ENDPOINT_KEY_SIZE], struct error *err) must_check;

/** `limit` (≥ 1) deliveries run at one endpoint at a time. NULL when memory is out. */
struct endpoints *endpoints_new(unsigned limit) must_check;
void endpoints_free(struct endpoints *endpoints);

/** Takes a place: 0 and `place->running` says whether it may run now or waits in line; or -ENOMEM. */
int endpoints_enter(struct endpoints *endpoints, struct endpoint_place *place, const char *key,
		    int64_t now_ms) must_check;

/** Gives a place back, from the line or from running. Returns the place whose turn comes (it runs now), or NULL. */
struct endpoint_place *endpoints_leave(struct endpoints *endpoints, struct endpoint_place *place) must_check;

/** Takes one place that a slow endpoint may not keep out of its line; NULL when there is none (left). */
struct endpoint_place *endpoints_shed(struct endpoints *endpoints, int64_t now_ms) must_check;

/** Places in lines and places running. */
size_t endpoints_waiting(const struct endpoints *endpoints);
size_t endpoints_running(const struct endpoints *endpoints);

#endif
