#ifndef CALLBACK_POSTING_H
#define CALLBACK_POSTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "delivery.h"
#include "endpoint.h"
#include "http/client.h"
#include "obs/breakers.h"
#include "registry.h"
#include "retry_plan.h"
#include "signature.h"

/*
 * Attempts to deliver: whose turn it is at an endpoint, whether that endpoint is asked at all, and what its answer
 * means. One thread owns it; answers come through the mailbox, those that nobody was asked for, too.
 */

/** What it works with; everything outlives it. */
struct posting_tools {
	struct http_client *client;
	const struct signature_keys *keys; /**< common to all endpoints without any of their own */
	struct registry *registry;         /**< NULL: there is none */
	struct breakers *breakers;         /**< of endpoints */
	const struct retry_plan *plan;
	unsigned max_per_endpoint;
	int64_t timeout_ms; /**< of one attempt */
};

struct posting {
	struct posting_tools tools;
	struct endpoints *endpoints;
	bool hurrying; /**< no answer but a success means anything any more */
};

/** Returns 0 or -ENOMEM. */
int posting_init(struct posting *posting, const struct posting_tools *tools) must_check;

/** Every delivery has left. */
void posting_finish(struct posting *posting);

/** Other limits from now on; what is under way keeps its time. */
void posting_set_limits(struct posting *posting, unsigned max_per_endpoint, int64_t timeout_ms);

/** Why the delivery's endpoint is switched off, or NULL. Good until the next call. */
const char *posting_why_disabled(struct posting *posting, const struct delivery *delivery) must_check;

/**
 * Takes its place at the endpoint of `origin` (see http/url.h), where it is posted or waits. Whatever comes of it is
 * said through the mailbox. Returns 0 or -ENOMEM.
 */
int posting_enter(struct posting *posting, struct delivery *delivery, const char *origin) must_check;

/** Gives up the place at the endpoint, if it has one; whose turn comes is posted. */
void posting_leave(struct posting *posting, struct delivery *delivery);

/**
 * Reaches the verdict on an answer. The endpoint is judged by it, too: it may be left alone for a while, or switched
 * off. The delivery leaves its place.
 */
void posting_judge(struct posting *posting, struct delivery *delivery);

/** The verdict on a delivery that is not posted now: to wait for the shortest time, with no attempt counted. */
void posting_defer(const struct posting *posting, struct delivery *delivery);

/**
 * Takes a delivery out of a line and defers it: one that has waited for ENDPOINT_LONGEST_MS or, when it is `crowded`,
 * the last one of a slow endpoint where more wait than may run. NULL when there is none.
 */
struct delivery *posting_shed(struct posting *posting, int64_t now_ms, bool crowded) must_check;

#endif
