#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "http/address.h"

/**
 * An HTTP/1.1 and HTTP/2 client on libcurl's multi interface: one thread, many requests in
 * flight, connections kept alive. The resolved address of every connection is checked with the
 * address policy at the moment it is connected to. Redirects are never followed, proxies from the
 * environment are ignored, only http and https are spoken.
 */
struct http_client;

struct http_client_settings {
	const char *name; /**< names the thread */
	const char *user_agent;
	const struct address_policy
	    *policy;              /**< outlives the client; NULL: everything is allowed (tests, operators' own URLs) */
	unsigned max_connections; /**< open at once; 0 = 256 */
	unsigned max_connections_per_host; /**< 0 = no limit */
	int64_t connect_timeout_ms;        /**< 0 = 5 s */
};

/** How one request ended. */
enum http_outcome {
	HTTP_ANSWERED,  /**< a status line came, whatever it says */
	HTTP_REFUSED,   /**< the address policy or the URL's scheme forbids it: final */
	HTTP_TOO_LARGE, /**< the body outgrew max_body: final */
	HTTP_TIMED_OUT,
	HTTP_FAILED /**< no connection, broken off, TLS refused … */
};

struct http_response {
	enum http_outcome outcome;
	long status;         /**< with HTTP_ANSWERED */
	const uint8_t *body; /**< valid during the callback */
	size_t body_size;
	int64_t retry_after_ms; /**< from Retry-After (seconds or date), -1 if absent */
	char content_type[128];
	double elapsed_ms;
	char text[256]; /**< for every outcome but HTTP_ANSWERED: what went wrong, without secrets */
};

/** Whether a request that ended so (`status` with HTTP_ANSWERED) is the fault of the server that was asked, as far as
 * one can tell: no connection, no answer in time, 429 or 5xx. For circuit breakers. */
static inline bool http_server_failed(enum http_outcome outcome, long status)
{
	return outcome == HTTP_FAILED || outcome == HTTP_TIMED_OUT ||
	       (outcome == HTTP_ANSWERED && (status == 429 || status >= 500));
}

typedef void http_done_fn(void *arg, const struct http_response *response);

struct http_request {
	const char *method; /**< "GET" or "POST" */
	const char *url;
	const char *const *headers; /**< "Name: value" …, NULL-terminated; may be NULL */
	const uint8_t *body;        /**< copied; NULL for none */
	size_t body_size;
	size_t max_body;    /**< of the response; counted before it is stored */
	bool truncate_body; /**< keep the first max_body bytes and ignore the rest instead of HTTP_TOO_LARGE */
	int64_t timeout_ms; /**< over everything */
	http_done_fn *done; /**< called exactly once, on the client's thread */
	void *arg;
};

/** Starts the client's thread. */
int http_client_new(struct http_client **out, const struct http_client_settings *settings,
		    struct error *err) must_check;

/** Hands over a request; everything it points to is copied. Any thread. 0, -ENOMEM or -ESHUTDOWN (then done is not
 * called). */
int http_client_submit(struct http_client *client, const struct http_request *request) must_check;

/** Requests not yet done. Any thread. */
size_t http_client_in_flight(struct http_client *client);

/** Ends every request with HTTP_FAILED ("shutting down"), joins the thread, frees. NULL is fine. */
void http_client_free(struct http_client *client);

#endif
