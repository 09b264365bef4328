#ifndef BASE_CONTEXT_H
#define BASE_CONTEXT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/trace.h"
#include "base/uuid.h"

/**
 * What everything that can wait or take long gets as its first parameter: how long it may take,
 * whether it is still wanted, and how to name the task in a log line or a span. It belongs to
 * whoever runs the task and outlives every call it is handed to. Zero-initialised it means: no
 * deadline, never cancelled, no task.
 */
struct context {
	int64_t attempt_deadline_ms; /**< monotonic; 0 = none; past it: attempt_timeout (may retry) */
	int64_t deadline_ms;         /**< monotonic; 0 = none; past it: deadline_exceeded (final) */
	atomic_bool cancelled;       /**< set by any thread with context_cancel() */
	struct trace trace;
	char tracestate[TRACESTATE_SIZE];
	char task_id[UUID_SIZE]; /**< "" when it is nobody's task */
	const char *scene;       /**< NULL or static/outliving storage */
	const char *op;          /**< NULL or static/outliving storage */
};

/** Asks the work to stop at its next checkpoint. Any thread. */
void context_cancel(struct context *ctx);

/**
 * The checkpoint every stage calls before it starts: 0 to go on, otherwise the errno of `err`,
 * set to `cancelled`, `deadline_exceeded` or `attempt_timeout`. `stage` names what did not
 * happen ("decode"). Never blocks. `ctx` may be NULL.
 */
int context_check(const struct context *ctx, const char *stage, struct error *err) must_check;

/** Milliseconds until the nearer of both deadlines, at least 0, at most `otherwise`. `ctx` may be NULL. */
int64_t context_remaining_ms(const struct context *ctx, int64_t otherwise);

#endif
