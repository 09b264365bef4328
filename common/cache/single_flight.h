#ifndef CACHE_SINGLE_FLIGHT_H
#define CACHE_SINGLE_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/context.h"

/**
 * Stampedes on one key compute once: the first caller computes, those who come meanwhile wait for its result.
 * Any thread.
 */
struct single_flight;

struct single_flight *single_flight_new(void) must_check;
/** NULL is fine; nobody may be in single_flight_do(). */
void single_flight_free(struct single_flight *flights);

/** Appends the result to `out`. Runs on the thread of the caller who came first. */
typedef int single_flight_fn(void *arg, struct buffer *out, struct error *err);

/**
 * Appends what `fn` makes for the key to `out`, whether it was made here or (*shared, may be NULL) by another caller.
 * Waiting ends at the caller's own deadline and, within some 10 ms, with its cancellation. When the computing one
 * fails, the waiting ones get its error; but when it was only itself out of time or cancelled, one of them takes over.
 */
int single_flight_do(const struct context *ctx, struct single_flight *flights, const void *key, size_t key_size,
		     single_flight_fn *fn, void *arg, struct buffer *out, bool *shared, struct error *err) must_check;

/** Callers that wait at this moment. */
unsigned single_flight_waiting(struct single_flight *flights);

#endif
