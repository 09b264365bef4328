#ifndef HTTP_SERVICE_PRIVATE_H
#define HTTP_SERVICE_PRIVATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "http/peers.h"
#include "http/route.h"
#include "http/service.h"

/** Memory of libmicrohttpd for a connection: bounds request line and headers, above it 431. */
#define SERVICE_CONNECTION_MEMORY 32768

/* What the parts of the service share. Locks are taken in the order service, call, stream, libmicrohttpd's own. */

struct http_call {
	TAILQ_ENTRY(http_call) entry; /**< in the service's list, under its lock */
	struct http_service *service; /**< not to be used once `gone` */
	struct MHD_Connection *connection;
	atomic_uint references; /**< libmicrohttpd's request, and whoever is to answer */

	/* The service's thread only. */
	const struct http_route *route;
	struct route_parameters parameters;
	struct peer *peer;
	size_t received; /**< bytes of the body, kept or not */
	size_t held;     /**< of them, counted as held by the service */
	bool refused;    /**< answered before the body: what comes of it is dropped */
	bool dispatched; /**< the handler has had it */
	bool closes;     /**< the connection ends with the answer */
	bool counted;    /**< among those that drain waits for */
	unsigned status;
	int64_t began_ns;
	struct buffer body; /**< the handler's, and whoever answers', from dispatch on */

	/* Likewise: headers of any answer. */
	struct note {
		const char *name;
		char value[HTTP_NOTE_SIZE];
	} notes[HTTP_MAX_NOTES];
	unsigned note_count;

	pthread_mutex_t lock; /**< for what follows */
	bool answered;
	bool suspended; /**< libmicrohttpd waits for it to be resumed: `connection` is certain to exist */
	bool gone;      /**< libmicrohttpd has done with the request */
	struct MHD_Response *response; /**< with `answered`; NULL: none could be made */
	unsigned answer_status;
	struct http_stream *stream; /**< of an answer that is one; there until `gone` */
};
TAILQ_HEAD(call_list, http_call);

struct http_service {
	struct http_service_settings settings;
	struct MHD_Daemon *daemon;
	uint16_t port;
	struct peers peers;
	struct metric *seconds; /**< from the end of the headers to the end of the answer */
	atomic_size_t held;     /**< bytes of bodies */
	atomic_bool closing;
	atomic_bool stopped; /**< nothing is suspended any more */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct call_list calls;
	unsigned in_hand; /**< calls that drain waits for */
};

/** What libmicrohttpd calls, with the service as `arg`, for each part of a request that came in. In request.c. */
enum MHD_Result request_handle(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
			       const char *version, const char *upload, size_t *upload_size, void **request);

/** What it calls when it has done with a request. */
void request_end(void *arg, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code);

struct http_call *call_new(struct http_service *service, struct MHD_Connection *connection) must_check;
void call_unref(struct http_call *call);

/** Gives the answer (NULL: none could be made). The reference of who answers is used up. Any thread. */
void call_answer_response(struct http_call *call, unsigned status, struct MHD_Response *response);

/** Remembers that the answer to come is a stream, to be woken by call_abort(). */
void call_set_stream(struct http_call *call, struct http_stream *stream);

/** Queues the answer if there is one, otherwise suspends the connection until there is. The service's thread. */
enum MHD_Result call_send(struct http_call *call) must_check;

/** Decides on a problem before any handler has seen the request. The service's thread. */
void call_refuse_early(struct http_call *call, const struct http_problem *problem);

/** Drain does not wait for this one any more: it is answered with a stream. The service's thread. */
void service_uncount(struct http_call *call);

/** libmicrohttpd has done with the request. The service's thread. */
void call_finish(struct http_call *call);

/** Wakes the connection if it waits for an answer or for more of its stream: the service is stopping. */
void call_abort(struct http_call *call);

/** Wakes a stream that waits. */
void stream_wake(struct http_stream *stream);

#endif
