#ifndef HTTP_SERVICE_H
#define HTTP_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "http/problem.h"
#include "obs/metrics.h"

/**
 * An HTTP/1.1 server for an API: routes with parameters in the path, bounded bodies, answers now or later from any
 * thread, streams of events. One thread (libmicrohttpd, epoll) moves the bytes and calls the handlers.
 */
struct http_service;

/**
 * One request. A handler owns it until it has answered it: exactly one of http_call_answer(), http_call_refuse() and
 * http_call_stream(), from any thread, at any time; a client that left meanwhile makes no difference.
 */
struct http_call;

/** Called on the service's thread when the request and its body are there. Must not block. */
typedef void http_handle_fn(void *arg, struct http_call *call);

struct http_route {
	const char *method; /**< "GET" also answers HEAD */
	const char *path;   /**< "/v1/users/{id}/faces": up to HTTP_MAX_PARAMETERS parts in braces */
	http_handle_fn *handle;
	bool always; /**< answered also while the service is closing: health, metrics */
};

#define HTTP_MAX_PARAMETERS 2
/** Longest parameter once decoded, and the terminating zero. */
#define HTTP_PARAMETER_SIZE 256

struct http_service_settings {
	const char *listen;              /**< "127.0.0.1:8080", "[::1]:0"; port 0 picks a free one */
	const struct http_route *routes; /**< outlive the service */
	unsigned route_count;
	void *arg; /**< of the handlers */
	/**
	 * Called when the headers of a request that has a route are there: false refuses it with `problem` before its
	 * body is kept. Must not block. May be NULL.
	 */
	bool (*admit)(void *arg, struct http_call *call, struct http_problem *problem);
	size_t max_body;           /**< of one request: above it 413 */
	size_t max_bodies;         /**< of all requests in hand: above it 503 */
	unsigned max_connections;  /**< above it connections wait to be accepted */
	int64_t header_timeout_ms; /**< from the connection or the last answer to the end of the headers */
	int64_t body_timeout_ms;   /**< from there to the end of the body */
	int64_t idle_timeout_ms;   /**< without a byte in either direction */
	const char *cert_file;     /**< PEM; NULL or "": no TLS */
	const char *key_file;
	struct metrics *metrics;
};

/** Starts serving, and logs the address and port. `err` (config) names what cannot be used. */
int http_service_start(struct http_service **out, const struct http_service_settings *settings,
		       struct error *err) must_check;

/** The port it listens on. */
uint16_t http_service_port(const struct http_service *service);

/** From now on new requests are answered 503 and `Connection: close`, but for those of routes marked `always`. */
void http_service_close(struct http_service *service);

/** Waits until every request in hand is answered and sent; 0 or -ETIMEDOUT. Streams are not waited for. */
int http_service_drain(struct http_service *service, int64_t timeout_ms) must_check;

/**
 * Answers 503 for what is still in hand, ends streams and connections, frees. Handlers may still answer their calls
 * afterwards. NULL is fine.
 */
void http_service_stop(struct http_service *service);

/* --- a request; these only within the handler ---------------------------------------------------------------- */

/** The route that was found. */
const struct http_route *http_call_route(const struct http_call *call);

/** Where the connection comes from; NULL if that is not known. */
const struct sockaddr *http_call_address(const struct http_call *call);

/** What stands in the path where the route has its braces number `index` (from 0), percent-decoded. */
const char *http_call_parameter(const struct http_call *call, unsigned index);

/** The first header of that name, or NULL. */
const char *http_call_header(const struct http_call *call, const char *name);

/**
 * Reads a parameter of the query into `out`. 1: it is there; 0: it is not, and `out` is ""; -EINVAL: it is longer than
 * `size` or badly encoded, -EEXIST: it is there twice.
 */
int http_call_query(const struct http_call *call, const char *name, char *out, size_t size) must_check;

/** The first name in the query that is not among `known` (NULL-terminated); NULL if there is none. */
const char *http_call_unknown_query(const struct http_call *call, const char *const *known);

/* --- any time until it is answered ----------------------------------------------------------------------------- */

/**
 * Adds a header to the answer to come, whatever that will be: at most HTTP_MAX_NOTES. `name` is static, `value` is
 * copied. For whoever is to answer.
 */
void http_call_note(struct http_call *call, const char *name, const char *value);

#define HTTP_MAX_NOTES 4
/** Longest value of such a header, and the terminating zero. */
#define HTTP_NOTE_SIZE 24

/** The body. It may be stolen. */
struct buffer *http_call_body(struct http_call *call);

/** Frees the body long before the answer: it then counts no more towards `max_bodies`. */
void http_call_drop_body(struct http_call *call);

struct http_header {
	const char *name;
	const char *value;
};

/**
 * Answers with the bytes of `body` (taken over and left empty; NULL: none) and `headers`, which a NULL name ends (may
 * be NULL). All is copied. Without memory the connection is closed.
 */
void http_call_answer(struct http_call *call, unsigned status, const char *content_type, struct buffer *body,
		      const struct http_header *headers);

/** Answers with a problem (RFC 9457), with its Retry-After and the like. */
void http_call_refuse(struct http_call *call, const struct http_problem *problem);

/* --- streams ------------------------------------------------------------------------------------------------------ */

/** An answer that is written bit by bit. */
struct http_stream;

/**
 * Answers 200 with a stream, of which at most `max_pending` bytes wait for the client: one that reads too slowly is cut
 * off. NULL when memory is out; then the connection is closed.
 */
struct http_stream *http_call_stream(struct http_call *call, const char *content_type, size_t max_pending) must_check;

/** Appends bytes. 0, or -EPIPE when the client is gone or was cut off. Any thread, never blocks. */
int http_stream_write(struct http_stream *stream, const void *bytes, size_t size) must_check;

/** Ends the answer once everything is sent, and frees the stream. Any thread. NULL is fine. */
void http_stream_end(struct http_stream *stream);

#endif
