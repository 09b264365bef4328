#ifndef STORE_IDEMPOTENCY_H
#define STORE_IDEMPOTENCY_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/uuid.h"
#include "store/store.h"

/*
 * Requests that their sender may repeat (header Idempotency-Key), remembered by all gateways together. A request is
 * claimed before its job is published, under the task id the job will have, and completed afterwards. A claim whose
 * gateway died is taken over with the same task id, so that the worker knows a job that went out twice.
 */

#define IDEMPOTENCY_HASH_SIZE 32
#define IDEMPOTENCY_KEEP_MS (24 * 3600 * INT64_C(1000)) /**< how long a key is remembered */
#define IDEMPOTENCY_LEASE_MS (60 * INT64_C(1000))       /**< how long a claim holds without being completed */

enum idempotency_state {
	IDEMPOTENCY_NEW,       /**< claimed: carry it out, then complete or release it */
	IDEMPOTENCY_IN_FLIGHT, /**< somebody else carries it out at this moment */
	IDEMPOTENCY_DONE,      /**< it became the task `task_id` */
	IDEMPOTENCY_DIFFERENT  /**< the key was used for another request */
};

struct idempotency_request {
	const char *owner; /**< id of the API key, "" for none */
	const char *key;
	const uint8_t *hash; /**< IDEMPOTENCY_HASH_SIZE bytes over what was asked for */
};

struct idempotency_claim {
	enum idempotency_state state;
	char task_id[UUID_SIZE]; /**< NEW: to be used, not always the one that was offered; DONE: the task */
	int64_t leased_ms;       /**< NEW: names the claim */
	bool may_be_done;        /**< NEW: it was claimed before, and may have become the task already */
};

/** Claims a request, offering `task_id` for its job. One transaction. */
int idempotency_reserve(struct store *store, const struct idempotency_request *request, const char *task_id,
			int64_t now_ms, struct idempotency_claim *claim, struct error *err) must_check;

/** Records that the claimed request became its task. */
int idempotency_complete(struct store *store, const struct idempotency_request *request,
			 const struct idempotency_claim *claim, struct error *err) must_check;

/**
 * Gives a claim up: nothing was published. Does nothing to one that was completed or taken over. One that may be done
 * keeps its task id, under which whoever repeats the request takes it over at once.
 */
int idempotency_release(struct store *store, const struct idempotency_request *request,
			const struct idempotency_claim *claim, struct error *err) must_check;

/** Removes at most `limit` keys older than IDEMPOTENCY_KEEP_MS. */
int idempotency_purge(struct store *store, int64_t now_ms, unsigned limit, unsigned *removed,
		      struct error *err) must_check;

#endif
