#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "obs/metrics.h"

/** What a long-running program shows of itself: /metrics, /healthz and /readyz on libmicrohttpd. */
struct http_server;

struct http_server_settings {
	const char *listen; /**< "127.0.0.1:9100", "[::1]:0"; port 0 picks a free one */
	struct metrics *metrics;
	/**
	 * Says whether the program is alive (`/healthz`) or ready (`/readyz`): true, or false with a
	 * sentence in `why`. Called on the server's thread; must not block.
	 */
	bool (*healthy)(void *arg, char *why, size_t why_size);
	bool (*ready)(void *arg, char *why, size_t why_size);
	void *arg;
};

/** Starts serving, and logs the address and port. `err` (config) names the address that cannot be listened on. */
int http_server_start(struct http_server **out, const struct http_server_settings *settings,
		      struct error *err) must_check;

/** The port it listens on. */
uint16_t http_server_port(const struct http_server *server);

/** Stops listening, ends open connections, frees. NULL is fine. */
void http_server_stop(struct http_server *server);

#endif
