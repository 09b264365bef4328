#ifndef UNIT_HTTP_SERVICE_RIG_H
#define UNIT_HTTP_SERVICE_RIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/service.h"

/* An HTTP service with some routes, and clients that say to it what they like. What goes wrong fails the test. */

/* The longest body that it takes. */
#define RIG_MAX_BODY 1000
/* How long what must come may take. */
#define RIG_PATIENCE_MS 30000

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

struct service_rig {
	struct http_service *service;
	_Atomic(struct http_call *) held;     /* of /later */
	_Atomic(struct http_stream *) stream; /* of /stream */
};

/* Starts the service; its time-outs for headers and bodies. */
void rig_start(struct service_rig *f, int64_t timeout_ms);

/* Of cmocka: a started rig is the state. */
int rig_set_up(void **state);
int rig_tear_down(void **state);

/* Answers 200 with that text. */
void rig_say(struct http_call *call, const char *text);

/* A connection. */
int rig_dial(struct service_rig *f);

void rig_put(int fd, const char *text);

/* Reads until `until` was seen (NULL: until the end). Returns whether it was. */
bool rig_read_until(int fd, char *out, size_t size, const char *until);

/* One request on a connection of its own, which it asks to close. Returns the status; 0: closed without one. */
int rig_ask(struct service_rig *f, const char *request, char *out, size_t size);

#endif
