#ifndef GATEWAY_TICKET_H
#define GATEWAY_TICKET_H

#include "base/compiler.h"
#include "idempotency.h"
#include "rate_limit.h"

struct gateway;
struct visit;

/** A request with an Idempotency-Key while it is carried out: what it takes to say how it ended. On the heap. */
struct ticket {
	struct idempotency_claim claim; /**< with the id of what the request makes */
	char owner[RATE_LIMIT_NAME_SIZE + 1];
	char key[IDEMPOTENCY_KEY_SIZE];
	uint8_t hash[IDEMPOTENCY_HASH_SIZE];
};

/** What a request is about. */
struct ticket_subject {
	const char *target; /**< target and body say whether two requests are the same */
	const void *body;
	size_t body_size;
	const char *id; /**< of the task or schedule it would make */
	/** Answers as before a request that was carried out already. Takes the visit over. */
	void (*answer_again)(struct gateway *gateway, struct visit *visit, struct store **store, const char *id);
};

/**
 * Claims a request with an Idempotency-Key: it is carried out under the id of the claim. NULL: not to be carried out,
 * the visit was answered and is gone. Blocks as the store does.
 */
struct ticket *ticket_claim(struct gateway *gateway, struct visit *visit, struct store **store,
			    const struct ticket_subject *subject) must_check;

/** Ends one: it was carried out, or not (by this attempt: see its claim). Takes it over. Blocks as the store does. */
void ticket_end(struct gateway *gateway, struct ticket *ticket, bool done, struct store **store);

/** The same from a thread that must not block. For the desk; `arg` is the gateway. */
void ticket_end_later(void *arg, struct ticket *ticket, bool done);

/** Ends one of which nobody knows whether it was carried out: a repetition does it under the same id. */
void ticket_forget(struct gateway *gateway, struct ticket *ticket);

#endif
