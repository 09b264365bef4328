#ifndef UNIT_HTTP_EXCHANGE_H
#define UNIT_HTTP_EXCHANGE_H

#include <stdbool.h>

#include "http/client.h"

/** One request under test and what became of it. */
struct exchange {
	struct http_response response; /**< `body` is replaced by a copy that ends with a zero */
	char body[4096];
	unsigned done; /**< times the done function was called; under a lock of the helper's own */
};

/** A GET with a limit of 1000 bytes and 10 s; change what the test is about, then submit. */
struct http_request exchange_request(struct exchange *exchange, const char *url);

void exchange_submit(struct http_client *client, const struct http_request *request);

/** Waits until it is done; fails the test after 15 s. */
void exchange_wait(struct exchange *exchange);
bool exchange_is_done(struct exchange *exchange);

/** A GET of `url` from begin to end. */
void exchange_get(struct http_client *client, struct exchange *exchange, const char *url);

/** A client named "test" that may connect to `allowed` beside public addresses; NULL: everywhere. */
struct http_client *exchange_client(struct address_policy **policy, const char *allowed);

#endif
