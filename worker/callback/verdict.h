#ifndef CALLBACK_VERDICT_H
#define CALLBACK_VERDICT_H

#include <stdint.h>

#include "http/client.h"
#include "retry_plan.h"

/** What became of one attempt to deliver: what is kept of an http_response. */
struct answer {
	enum http_outcome outcome;
	long status;            /**< with HTTP_ANSWERED */
	int64_t retry_after_ms; /**< -1: the endpoint did not say */
	double elapsed_ms;
	char text[256]; /**< with every other outcome: what went wrong */
};

/** How an attempt ended. */
enum answer_kind {
	ANSWER_DELIVERED, /**< 2xx */
	ANSWER_REJECTED,  /**< any other status */
	ANSWER_REFUSED,   /**< by the address policy */
	ANSWER_TIMED_OUT,
	ANSWER_FAILED
};
#define ANSWER_KIND_COUNT (ANSWER_FAILED + 1)

enum answer_kind answer_kind(const struct answer *answer);

/** The kind as the log and the metrics spell it ("timed_out"). Static storage. */
const char *answer_kind_name(enum answer_kind kind);

/** Why a message is parked. */
enum park_cause {
	PARK_EXHAUSTED, /**< every attempt of the schedule failed */
	PARK_GONE,      /**< the endpoint answered 410 */
	PARK_REFUSED,   /**< no http(s) URL, or an address that callbacks may not go to */
	PARK_INVALID,   /**< not a reply */
	PARK_DISABLED   /**< its endpoint is switched off */
};
#define PARK_CAUSE_COUNT (PARK_DISABLED + 1)

/** What is to be done about a message. */
struct verdict {
	enum { VERDICT_DELIVERED, VERDICT_RETRY, VERDICT_DEFER, VERDICT_PARK } what;
	int64_t delay_ms;      /**< RETRY (an attempt was made) and DEFER (none was): the retry queue to wait in */
	enum park_cause cause; /**< PARK */
	char reason[256];      /**< RETRY and PARK: a sentence for the log and `facefleet-reason` */
};

/**
 * Judges attempt number `attempts` (from 1). Only 2xx counts as delivered; a redirect is a failure;
 * 410 and a refused address are final; Retry-After is honoured with 429 and 503, within the schedule.
 */
void verdict_reach(struct verdict *verdict, const struct answer *answer, const struct retry_plan *plan, int attempts);

/** Parks, with a formatted reason. */
void verdict_park(struct verdict *verdict, enum park_cause cause, const char *fmt, ...) printf_like(3, 4);

/** The cause as the metrics spell it ("exhausted"). Static storage. */
const char *park_cause_name(enum park_cause cause);

#endif
