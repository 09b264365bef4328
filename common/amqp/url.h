#ifndef AMQP_URL_H
#define AMQP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define AMQP_MAX_HOSTS 16

/** One broker that can be tried. */
struct amqp_endpoint {
	bool tls;
	char host[256];
	uint16_t port;
	char user[256];
	char password[256];
	char vhost[256];
};

/** Where a program's broker is: hosts to try in turn. */
struct amqp_url {
	struct amqp_endpoint hosts[AMQP_MAX_HOSTS];
	unsigned count;
	char ca_file[1024];
	char cert_file[1024];
	char key_file[1024];
};

/**
 * Parses `amqp[s]://[user[:password]@]host[:port][,host[:port]…][/vhost]`, or several whole URLs
 * separated by commas. Percent-decoding, IPv6 in brackets, ports 5672 and 5671, vhost "/" when
 * absent or empty. On refusal `err` (config) says what is wrong without showing the password.
 */
int amqp_url_parse(struct amqp_url *out, const char *text, struct error *err) must_check;

/** Writes "amqps://host:port/vhost" of one endpoint, without credentials, for logs. */
void amqp_endpoint_format(const struct amqp_endpoint *endpoint, char *out, size_t size);

#endif
