#ifndef GATEWAY_IDEMPOTENCY_H
#define GATEWAY_IDEMPOTENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/idempotency.h"
#include "store/store.h"

/*
 * Carries a request with an Idempotency-Key out once, however often it is sent. The store knows what all gateways did;
 * what this one does at the moment is kept here too, so that a hasty repetition does not reach the store. Any thread,
 * each with a store of its own.
 *
 * The state of a claim says what to do: NEW carry it out and then call finish(), abandon() or forget(); IN_FLIGHT 409;
 * DONE the answer of that task again; DIFFERENT 422.
 */

struct idempotency_guard;

/** At most `max_in_flight` requests at a time. NULL when memory is out. */
struct idempotency_guard *idempotency_guard_new(size_t max_in_flight) must_check;
void idempotency_guard_free(struct idempotency_guard *guard);

#define IDEMPOTENCY_KEY_SIZE 256

/**
 * Reads the text of an Idempotency-Key header: 1 to 255 printable ASCII characters, as they are or as a quoted string
 * (RFC 8941, 3.3.3). False for anything else.
 */
bool idempotency_guard_read(const char *text, char key[IDEMPOTENCY_KEY_SIZE]) must_check;

/** What makes two requests the same: method, target and body. */
void idempotency_guard_hash(const char *method, const char *target, const void *body, size_t size,
			    uint8_t hash[IDEMPOTENCY_HASH_SIZE]);

/**
 * Begins a request whose job would be the task `task_id`; `now_ms` is unix time. Blocks as the store does. Fails as
 * the store does, or with `overloaded` when too many are under way. The owner must not be shared by strangers.
 */
int idempotency_guard_begin(struct idempotency_guard *guard, struct store *store,
			    const struct idempotency_request *request, const char *task_id, int64_t now_ms,
			    struct idempotency_claim *claim, struct error *err) must_check;

/**
 * Ends a NEW one: its job was published. Now and then it also removes some keys that nobody remembers any more. If the
 * store cannot be told, the error says so, and nothing is lost: a repetition publishes the same task id again.
 */
int idempotency_guard_finish(struct idempotency_guard *guard, struct store *store,
			     const struct idempotency_request *request, const struct idempotency_claim *claim,
			     struct error *err) must_check;

/** Ends a NEW one: nothing was published, and it may be sent again. */
int idempotency_guard_abandon(struct idempotency_guard *guard, struct store *store,
			      const struct idempotency_request *request, const struct idempotency_claim *claim,
			      struct error *err) must_check;

/**
 * Ends a NEW one here alone, where the store cannot be asked: the claim runs out there by itself, and whoever repeats
 * the request then publishes the same task id. Every NEW one is ended in one of the three ways. Never blocks.
 */
void idempotency_guard_forget(struct idempotency_guard *guard, const struct idempotency_request *request);

#endif
