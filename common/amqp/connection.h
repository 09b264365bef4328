#ifndef AMQP_CONNECTION_H
#define AMQP_CONNECTION_H

#include <amqp.h>
#include <stdbool.h>
#include <stdint.h>

#include "amqp/url.h"
#include "amqp/watchdog.h"
#include "base/compiler.h"
#include "base/error.h"

/** The one channel of every connection. */
#define CONNECTION_CHANNEL 1

/** One connection with one channel, used by one thread only. Zeroed it is closed. */
struct connection {
	amqp_connection_state_t state; /**< NULL when closed */
	struct watchdog *watchdog;
};

struct connection_settings {
	const struct amqp_url *url; /**< for the TLS files */
	const struct amqp_endpoint *endpoint;
	const char *name; /**< for the management page */
	int heartbeat_s;
	int64_t timeout_ms;        /**< for each of: connecting (5 s at most), logging in, any request */
	struct watchdog *watchdog; /**< told which socket is in use; NULL: nobody watches */
};

/**
 * Connects (TLS for an amqps endpoint), logs in and opens the channel. Blocking: up to twice the
 * time limit, and what the resolver takes. `err` is ERROR_CONNECTION, fatal when the broker
 * refuses the login or the vhost, or ERROR_CONFIG when a TLS file cannot be used.
 */
int connection_open(struct connection *c, const struct connection_settings *settings, struct error *err) must_check;

/** The same, trying all hosts of `settings->url` in turn (`endpoint` is filled in) until `until_ms` (monotonic). */
int connection_open_any(struct connection *c, const struct connection_settings *settings, int64_t until_ms,
			struct error *err) must_check;

/** Opens the channel again after the broker has closed it. Blocking. */
int connection_reopen_channel(struct connection *c, struct error *err) must_check;

/** Tells the watchdog that another call begins: after any step of work that is made of several. */
void connection_touch(struct connection *c);

/** Closes; `politely` tells the broker first and waits up to a second for its answer. Fine when closed. */
void connection_close(struct connection *c, bool politely);

/** Sets `err` to "what: why" for a reply that is not normal; 0 when it is. */
int connection_check(amqp_rpc_reply_t reply, const char *what, struct error *err) must_check;

/** The same for a library status, of which those below 0 are errors. */
int connection_check_status(int status, const char *what, struct error *err) must_check;

/** What a channel.close or connection.close says, as C string; code 0 when the method is neither. */
struct connection_refusal {
	int code;
	bool publish; /**< it was basic.publish that the broker refused */
	char text[256];
};

void connection_read_refusal(const amqp_method_t *method, struct connection_refusal *out);

#endif
