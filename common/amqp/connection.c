#include "amqp/connection.h"

#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"

#define CONNECT_TIMEOUT_MS 5000
#define CLOSE_TIMEOUT_MS 1000
#define CLASS_BASIC 60
#define METHOD_PUBLISH 40

static struct timeval to_timeval(int64_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static int64_t min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* --- errors --- */

static void copy_reply_text(char *out, size_t size, amqp_bytes_t text)
{
	snprintf(out, size, "%.*s", (int)text.len, (const char *)text.bytes);
}

void connection_read_refusal(const amqp_method_t *method, struct connection_refusal *out)
{
	memset(out, 0, sizeof(*out));
	if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
		const amqp_channel_close_t *close = method->decoded;
		out->code = close->reply_code;
		out->publish = close->class_id == CLASS_BASIC && close->method_id == METHOD_PUBLISH;
		copy_reply_text(out->text, sizeof(out->text), close->reply_text);
	} else if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
		const amqp_connection_close_t *close = method->decoded;
		out->code = close->reply_code;
		copy_reply_text(out->text, sizeof(out->text), close->reply_text);
	}
}

int connection_check_status(int status, const char *what, struct error *err)
{
	if (status >= 0)
		return 0;
	return error_set(err, ERROR_CONNECTION, "%s: %s", what, amqp_error_string2(status));
}

int connection_check(amqp_rpc_reply_t reply, const char *what, struct error *err)
{
	struct connection_refusal refusal;

	switch (reply.reply_type) {
	case AMQP_RESPONSE_NORMAL:
		return 0;
	case AMQP_RESPONSE_LIBRARY_EXCEPTION:
		return error_set(err, ERROR_CONNECTION, "%s: %s", what, amqp_error_string2(reply.library_error));
	case AMQP_RESPONSE_SERVER_EXCEPTION:
		connection_read_refusal(&reply.reply, &refusal);
		return error_set(err, ERROR_CONNECTION, "%s: %d %s", what, refusal.code, refusal.text);
	case AMQP_RESPONSE_NONE:
		break;
	}
	return error_set(err, ERROR_CONNECTION, "%s: the broker closed the connection", what);
}

/* A login or vhost that the broker refuses stays refused; a limit on connections does not. */
static int check_login(amqp_rpc_reply_t reply, struct error *err)
{
	struct connection_refusal refusal = {0};

	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		connection_read_refusal(&reply.reply, &refusal);
	if (refusal.code == AMQP_ACCESS_REFUSED || (refusal.code == AMQP_NOT_ALLOWED && !strstr(refusal.text, "limit")))
		return error_set_class(err, ERROR_CLASS_FATAL, ERROR_CONNECTION, "login refused: %d %s", refusal.code,
				       refusal.text);
	return connection_check(reply, "login", err);
}

/* --- opening --- */

static int set_up_tls(amqp_socket_t *socket, const struct amqp_url *url, struct error *err)
{
	if (!url->ca_file[0])
		return error_set(err, ERROR_CONFIG, "amqps:// needs a file of trusted certificates (amqp.ca_file)");
	if (amqp_ssl_socket_set_cacert(socket, url->ca_file) != AMQP_STATUS_OK)
		return error_set(err, ERROR_CONFIG, "%s: cannot be used as certificates to trust", url->ca_file);
	if (url->cert_file[0] && amqp_ssl_socket_set_key(socket, url->cert_file, url->key_file) != AMQP_STATUS_OK)
		return error_set(err, ERROR_CONFIG, "%s, %s: cannot be used as client certificate and key",
				 url->cert_file, url->key_file);
	amqp_ssl_socket_set_verify_peer(socket, 1);
	amqp_ssl_socket_set_verify_hostname(socket, 1);
	return connection_check_status(amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST), "TLS",
				       err);
}

static int open_socket(struct connection *c, const struct connection_settings *settings, struct error *err)
{
	const struct amqp_endpoint *endpoint = settings->endpoint;
	struct timeval timeout = to_timeval(min(settings->timeout_ms, CONNECT_TIMEOUT_MS));
	amqp_socket_t *socket = endpoint->tls ? amqp_ssl_socket_new(c->state) : amqp_tcp_socket_new(c->state);

	if (!socket)
		return error_set(err, ERROR_CONNECTION, "out of memory");
	if (endpoint->tls) {
		int r = set_up_tls(socket, settings->url, err);
		if (r < 0)
			return r;
	}
	int status = amqp_socket_open_noblock(socket, endpoint->host, endpoint->port, &timeout);
	/* The library knows no more than this, and calls it "a socket error". */
	if (status == AMQP_STATUS_SOCKET_ERROR)
		return error_set(err, ERROR_CONNECTION, "nobody listens there, or it cannot be reached");
	return connection_check_status(status, "connect", err);
}

/* What is written but never acknowledged by the peer's kernel ends the connection after two heartbeats. */
static void limit_silence(int fd, int heartbeat_s)
{
	unsigned ms = (unsigned)heartbeat_s * 2000;
	int ignored = setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));

	(void)ignored; /* the watchdog does the same, later */
}

static amqp_table_entry_t text_entry(const char *key, const char *value)
{
	return (amqp_table_entry_t){
	    .key = amqp_cstring_bytes(key),
	    .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)},
	};
}

static int log_in(struct connection *c, const struct connection_settings *settings, struct error *err)
{
	static const char *const names[] = {"publisher_confirms", "basic.nack", "consumer_cancel_notify",
					    "connection.blocked", "exchange_exchange_bindings"};
	const struct amqp_endpoint *endpoint = settings->endpoint;
	amqp_table_entry_t capabilities[array_size(names)];

	for (size_t i = 0; i < array_size(names); i++)
		capabilities[i] = (amqp_table_entry_t){
		    .key = amqp_cstring_bytes(names[i]),
		    .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1},
		};
	amqp_table_entry_t entries[] = {
	    text_entry("product", "facefleet"),
	    text_entry("connection_name", settings->name),
	    {
		.key = amqp_cstring_bytes("capabilities"),
		.value = {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {array_size(capabilities), capabilities}},
	    },
	};
	amqp_table_t properties = {array_size(entries), entries};
	return check_login(amqp_login_with_properties(c->state, endpoint->vhost, CONNECTION_CHANNEL,
						      AMQP_DEFAULT_FRAME_SIZE, settings->heartbeat_s, &properties,
						      AMQP_SASL_METHOD_PLAIN, endpoint->user, endpoint->password),
			   err);
}

static int open_channel(struct connection *c, struct error *err)
{
	amqp_channel_open(c->state, CONNECTION_CHANNEL);
	return connection_check(amqp_get_rpc_reply(c->state), "open channel", err);
}

int connection_open(struct connection *c, const struct connection_settings *settings, struct error *err)
{
	struct timeval timeout = to_timeval(settings->timeout_ms);

	*c = (struct connection){.state = amqp_new_connection(), .watchdog = settings->watchdog};
	if (!c->state)
		return error_set(err, ERROR_CONNECTION, "out of memory");
	amqp_set_handshake_timeout(c->state, &timeout);
	amqp_set_rpc_timeout(c->state, &timeout);

	int r = open_socket(c, settings, err);
	if (r == 0) {
		int fd = amqp_get_sockfd(c->state);
		limit_silence(fd, settings->heartbeat_s);
		if (c->watchdog)
			watchdog_guard(c->watchdog, fd);
		r = log_in(c, settings, err);
	}
	if (r == 0)
		r = open_channel(c, err);
	if (r < 0) {
		char where[600];
		amqp_endpoint_format(settings->endpoint, where, sizeof(where));
		error_prefix(err, "%s", where);
		connection_close(c, false);
	}
	return r;
}

int connection_open_any(struct connection *c, const struct connection_settings *settings, int64_t until_ms,
			struct error *err)
{
	struct connection_settings trial = *settings;
	int r = -ETIMEDOUT;

	for (unsigned i = 0; r < 0 && i < settings->url->count; i++) {
		int64_t left = until_ms - clock_monotonic_ms();
		if (left <= 0)
			return error_set(err, ERROR_CONNECTION, "no broker answered in time");
		trial.endpoint = &settings->url->hosts[i];
		trial.timeout_ms = min(settings->timeout_ms, left);
		r = connection_open(c, &trial, err);
	}
	return r;
}

int connection_reopen_channel(struct connection *c, struct error *err)
{
	amqp_channel_close_ok_t ok = {0};
	int r = connection_check_status(
	    amqp_send_method(c->state, CONNECTION_CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok), "close channel", err);

	return r < 0 ? r : open_channel(c, err);
}

void connection_touch(struct connection *c)
{
	if (c->watchdog)
		watchdog_enter(c->watchdog);
}

void connection_close(struct connection *c, bool politely)
{
	if (!c->state)
		return;
	if (politely) {
		struct timeval timeout = to_timeval(CLOSE_TIMEOUT_MS);
		amqp_set_rpc_timeout(c->state, &timeout);
		amqp_connection_close(c->state, AMQP_REPLY_SUCCESS);
	}
	if (c->watchdog)
		watchdog_guard(c->watchdog, -1);
	amqp_destroy_connection(c->state);
	c->state = NULL;
}
