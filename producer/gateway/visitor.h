#ifndef GATEWAY_VISITOR_H
#define GATEWAY_VISITOR_H

#include <stdbool.h>
#include <string.h>

#include "job/envelope.h"
#include "store/keys.h"

/** Who a request comes from. */
struct visitor {
	char owner[ENVELOPE_OWNER_SIZE]; /**< id of the API key; "" for anonymous ones */
	unsigned scopes;                 /**< enum key_scope */
	bool sees_all;                   /**< also tasks of others */
	struct key_collections collections;
};

/** True if the visitor may see a task of `owner`. */
static inline bool visitor_sees(const struct visitor *visitor, const char *owner)
{
	return visitor->sees_all || strcmp(visitor->owner, owner) == 0;
}

/** True if the visitor may also decide about a task of `owner`: to see it is not enough. */
static inline bool visitor_decides(const struct visitor *visitor, const char *owner)
{
	return (visitor->scopes & KEY_ADMIN) != 0 || strcmp(visitor->owner, owner) == 0;
}

/** True if the visitor may have such a job done in that collection; who sees all may look into every one. */
static inline bool visitor_works_in(const struct visitor *visitor, enum job_op op, const char *collection)
{
	bool looks = op == JOB_VERIFY || op == JOB_SEARCH;

	return op == JOB_MATCH || (visitor->scopes & KEY_ADMIN) != 0 || (looks && visitor->sees_all) ||
	       key_collections_have(&visitor->collections, collection);
}

/** True if the visitor may do what that scope allows. */
static inline bool visitor_may(const struct visitor *visitor, enum key_scope scope)
{
	return (visitor->scopes & ((unsigned)scope | KEY_ADMIN)) != 0;
}

#endif
