#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/service_private.h"

#define BLOCK_SIZE 4096

struct http_stream {
	pthread_mutex_t lock;
	atomic_uint references; /* the response's and the writer's */
	struct http_call *call; /* with a reference */
	struct buffer pending;
	size_t sent; /* of it */
	size_t max_pending;
	bool suspended; /* the connection waits for more */
	bool ended;     /* by the writer */
	bool gone;      /* the response is no more */
	bool cut;       /* the client reads too slowly */
};

static void unref(struct http_stream *stream)
{
	if (atomic_fetch_sub(&stream->references, 1) != 1)
		return;
	buffer_finish(&stream->pending);
	pthread_mutex_destroy(&stream->lock);
	call_unref(stream->call);
	free(stream);
}

/* Under the lock. */
static void resume(struct http_stream *stream)
{
	if (!stream->suspended)
		return;
	stream->suspended = false;
	MHD_resume_connection(stream->call->connection);
}

static size_t take(struct http_stream *stream, char *out, size_t max)
{
	size_t size = stream->pending.size - stream->sent;

	if (size > max)
		size = max;
	memcpy(out, stream->pending.data + stream->sent, size);
	stream->sent += size;
	if (stream->sent == stream->pending.size) {
		buffer_clear(&stream->pending);
		stream->sent = 0;
	}
	return size;
}

/* On the service's thread. */
static ssize_t read_some(void *arg, uint64_t position, char *out, size_t max)
{
	struct http_stream *stream = arg;
	ssize_t result = 0;

	(void)position;
	pthread_mutex_lock(&stream->lock);
	if (stream->cut) {
		result = MHD_CONTENT_READER_END_WITH_ERROR;
	} else if (stream->pending.size > 0) {
		result = (ssize_t)take(stream, out, max);
	} else if (stream->ended || atomic_load(&stream->call->service->stopped)) {
		result = MHD_CONTENT_READER_END_OF_STREAM;
	} else {
		MHD_suspend_connection(stream->call->connection);
		stream->suspended = true;
	}
	pthread_mutex_unlock(&stream->lock);
	return result;
}

static void response_is_gone(void *arg)
{
	struct http_stream *stream = arg;

	call_set_stream(stream->call, NULL);
	pthread_mutex_lock(&stream->lock);
	stream->gone = true;
	pthread_mutex_unlock(&stream->lock);
	unref(stream);
}

void stream_wake(struct http_stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	resume(stream);
	pthread_mutex_unlock(&stream->lock);
}

static struct http_stream *stream_new(struct http_call *call, size_t max_pending)
{
	struct http_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	pthread_mutex_init(&stream->lock, NULL);
	atomic_init(&stream->references, 2);
	stream->call = call;
	stream->max_pending = max_pending;
	return stream;
}

struct http_stream *http_call_stream(struct http_call *call, const char *content_type, size_t max_pending)
{
	struct http_stream *stream = stream_new(call, max_pending);
	struct MHD_Response *response = NULL;

	if (stream)
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_some, stream,
							     response_is_gone);
	if (!response) {
		if (stream) {
			atomic_fetch_add(&call->references, 1); /* call_answer_response() uses up one as well */
			unref(stream);
			unref(stream);
		}
		call_answer_response(call, 0, NULL);
		return NULL;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	atomic_fetch_add(&call->references, 1); /* the stream's */
	call_set_stream(call, stream);
	call_answer_response(call, MHD_HTTP_OK, response);
	return stream;
}

/* Forgets what was sent when it is most of what there is: else a busy stream would grow for ever. */
static void compact(struct http_stream *stream)
{
	if (stream->sent * 2 < stream->pending.size)
		return;
	stream->pending.size -= stream->sent;
	memmove(stream->pending.data, stream->pending.data + stream->sent, stream->pending.size);
	stream->sent = 0;
}

int http_stream_write(struct http_stream *stream, const void *bytes, size_t size)
{
	int r = 0;

	pthread_mutex_lock(&stream->lock);
	if (stream->sent > 0)
		compact(stream);
	if (stream->gone || stream->cut || stream->ended) {
		r = -EPIPE;
	} else if (stream->pending.size - stream->sent + size > stream->max_pending ||
		   buffer_append(&stream->pending, bytes, size) != 0) {
		stream->cut = true;
		r = -EPIPE;
	}
	resume(stream);
	pthread_mutex_unlock(&stream->lock);
	return r;
}

void http_stream_end(struct http_stream *stream)
{
	if (!stream)
		return;
	pthread_mutex_lock(&stream->lock);
	stream->ended = true;
	resume(stream);
	pthread_mutex_unlock(&stream->lock);
	unref(stream);
}
