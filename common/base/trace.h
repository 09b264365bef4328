#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/** "00-<32 hex>-<16 hex>-<2 hex>" and the terminating zero. */
#define TRACEPARENT_SIZE 56
/** Longest tracestate that is carried on; W3C asks for at least 512 characters. */
#define TRACESTATE_SIZE 513

/** Where one piece of work stands in a W3C trace. */
struct trace {
	char trace_id[33]; /**< "" when there is none */
	char span_id[17];  /**< of the current span */
	char parent_id[17];
	uint8_t flags; /**< bit 0: sampled */
};

/** Begins a new trace with a new span, not sampled. */
void trace_begin(struct trace *t);

/**
 * Continues the trace of a received `traceparent`: its span becomes the parent of a new one.
 * Returns 0, or -EINVAL for a header that the W3C rules tell to ignore; then a new trace begins,
 * so *t is usable either way. `text` may be NULL.
 */
int trace_continue(struct trace *t, const char *text);

/** Writes the header to pass on. */
void trace_format(const struct trace *t, char out[TRACEPARENT_SIZE]);

#endif
