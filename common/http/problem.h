#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "base/buffer.h"
#include "base/compiler.h"

/** A kind of refusal, as an API documents it. */
struct http_problem_kind {
	unsigned status;
	const char *code;  /**< "queue_full"; the `type` is urn:facefleet:problem:<code> */
	const char *title; /**< one sentence, the same for every such problem */
};

/** Why one request is refused (RFC 9457). Make it with http_problem_init(). */
struct http_problem {
	const struct http_problem_kind *kind;
	char detail[256];         /**< "" for none */
	char field[96];           /**< path of the field that is to blame ("image_a.url"), "" for none */
	char task_id[40];         /**< the task this is about, "" for none */
	int retry_after_s;        /**< 0: not said */
	const char *allow;        /**< of 405; NULL otherwise */
	const char *authenticate; /**< WWW-Authenticate of 401; NULL otherwise */
};

#define HTTP_PROBLEM_CONTENT_TYPE "application/problem+json"

/** Fills in a problem; `fmt` is its detail. */
void http_problem_init(struct http_problem *problem, const struct http_problem_kind *kind, const char *fmt, ...)
    printf_like(3, 4);

/** Appends the problem as JSON. Returns 0, -ENOMEM or -EMSGSIZE. */
int http_problem_encode(const struct http_problem *problem, struct buffer *out) must_check;

/* The kinds that the service itself answers with. */
extern const struct http_problem_kind http_problem_bad_request;
extern const struct http_problem_kind http_problem_not_found;
extern const struct http_problem_kind http_problem_method_not_allowed;
extern const struct http_problem_kind http_problem_body_too_large;
extern const struct http_problem_kind http_problem_transfer_coding;
extern const struct http_problem_kind http_problem_overloaded;
extern const struct http_problem_kind http_problem_stopping;

#endif
