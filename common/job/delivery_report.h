#ifndef JOB_DELIVERY_REPORT_H
#define JOB_DELIVERY_REPORT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/uuid.h"
#include "job/envelope.h"

struct writer;

/** Enough for a scheme, the longest host name and a port. */
#define DELIVERY_REPORT_ORIGIN_SIZE 280

/** What became of a callback after an attempt to deliver it. */
enum delivery_outcome {
	DELIVERY_OUTCOME_DELIVERED,
	DELIVERY_OUTCOME_RETRYING, /**< it failed, and is tried again */
	DELIVERY_OUTCOME_PARKED    /**< it is given up */
};

/** One attempt to deliver a callback, or a callback that was given up without one. Always JSON. */
struct delivery_report {
	char task_id[UUID_SIZE];
	int64_t at_ms; /**< unix ms; with task and attempt it names the report */
	int attempt;   /**< attempts made, this one included; 0: there was none */
	enum delivery_outcome outcome;
	char origin[DELIVERY_REPORT_ORIGIN_SIZE]; /**< "https://example.com:443", never more of the URL; "": it is none
						   */
	int http_status;                          /**< 0: no answer */
	char error[256];                          /**< what went wrong; "" when delivered */
	int64_t duration_us;                      /**< of the attempt; -1: none was made */
	int64_t next_attempt_at_ms;               /**< when it is tried again; otherwise 0 */
};

/** "delivered", "retrying" or "parked". Static storage. */
const char *delivery_outcome_name(enum delivery_outcome outcome);

/** Returns 0, or -EINVAL for another word. */
int delivery_outcome_from_name(const char *name, enum delivery_outcome *outcome) must_check;

/** Appends the report as JSON; what does not apply is null. Returns 0, -ENOMEM or -EMSGSIZE. */
int delivery_report_encode(const struct delivery_report *report, struct buffer *out) must_check;

/** Writes the fields of a report, all but the task's id, into a map of the writer's. */
void delivery_report_write(struct writer *w, const struct delivery_report *report);

/** Decodes a report; unknown fields are ignored. -EBADMSG and `err` with the field's path if it is not one. */
int delivery_report_decode(struct delivery_report *report, const uint8_t *body, size_t size,
			   struct error *err) must_check;

/** Writes the routing key `delivery.<scene>.<outcome>`; scene "unknown" when it is "". */
void delivery_report_routing_key(const char *scene, enum delivery_outcome outcome, char out[ENVELOPE_SHORT_SIZE]);

#endif
