#ifndef GATEWAY_TICKET_H
#define GATEWAY_TICKET_H

#include "idempotency.h"
#include "rate_limit.h"

/** A request with an Idempotency-Key while its job is on its way: what it takes to say how it ended. On the heap. */
struct ticket {
	struct idempotency_claim claim;
	char owner[RATE_LIMIT_NAME_SIZE + 1];
	char key[IDEMPOTENCY_KEY_SIZE];
	uint8_t hash[IDEMPOTENCY_HASH_SIZE];
};

/** The request as the guard wants it; borrows from the ticket. */
static inline struct idempotency_request ticket_request(const struct ticket *ticket)
{
	return (struct idempotency_request){.owner = ticket->owner, .key = ticket->key, .hash = ticket->hash};
}

#endif
