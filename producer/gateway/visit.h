#ifndef GATEWAY_VISIT_H
#define GATEWAY_VISIT_H

#include "base/compiler.h"
#include "base/trace.h"
#include "http/service.h"
#include "idempotency.h"
#include "keyring.h"
#include "prefer.h"
#include "rate_limit.h"
#include "store/keys.h"
#include "store/tasks.h"
#include "visitor.h"

struct gateway;
struct visit;

/** What becomes of a visit, on a thread of one of the pools. Answers the call and frees the visit. */
typedef void visit_fn(struct gateway *gateway, struct visit *visit, struct store **store);

/** A request on its way through the gateway: what is needed of its headers, off the HTTP service's thread. */
struct visit {
	struct http_call *call; /**< NULL: of the gateway's own making, not a request */
	int64_t received_ns;    /**< monotonic: when all of the request was there */
	visit_fn *handle;
	enum key_scope scope; /**< what it takes to ask for this */
	enum credentials_kind credentials_kind;
	struct credentials credentials;
	char address[RATE_LIMIT_NAME_SIZE]; /**< where it comes from */
	struct visitor visitor;
	bool has_idempotency_key;
	char idempotency_key[2 * IDEMPOTENCY_KEY_SIZE]; /**< as it came */
	char content_type[256];
	bool has_content_type;
	char traceparent[TRACEPARENT_SIZE];
	char tracestate[TRACESTATE_SIZE];
	struct prefer prefer;

	/* Jobs. */
	enum job_op op;
	bool has_user;
	char user_id[HTTP_PARAMETER_SIZE];
	struct job_when when; /**< as its body said */

	/** Of one of the gateway's own making. */
	struct ticket *ticket;
	bool done;

	/* Tasks. */
	char task_id[UUID_SIZE]; /**< or that of a schedule; of a list of them, where it goes on */
	struct visit_list {
		bool has_state;
		enum task_state state;
		char scene[JOB_MAX_SCENE_BYTES + 1];
		char user_id[JOB_MAX_USER_BYTES + 1];
		int64_t since_ms;
		unsigned limit;
		struct tasks_cursor cursor;
	} list;
};

/** A visit of a call; NULL when memory is out. On the HTTP service's thread. */
struct visit *visit_new(struct http_call *call, visit_fn *handle, enum key_scope scope, int64_t max_wait_ms) must_check;
void visit_free(struct visit *visit);

/** Answers a visit with a problem and frees it. */
void visit_refuse(struct visit *visit, const struct http_problem *problem);

/** The same with a problem of that kind; `retry_after_s` 0: not said. */
void visit_refuse_as(struct visit *visit, const struct http_problem_kind *kind, const char *detail, int retry_after_s);

/** Answers a call that cannot become a visit, or one that has no room: try again later. */
void visit_refuse_busy(struct http_call *call, const char *detail);

#endif
