#ifndef CACHE_REDIS_URL_H
#define CACHE_REDIS_URL_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/** Where a Redis is, and as whom. */
struct redis_url {
	char host[256];
	uint16_t port;
	char user[256];      /**< "": the server's default user */
	char password[1024]; /**< "": no login */
	unsigned database;
};

/**
 * Parses `redis://[[user]:password@]host[:port][/database]`: percent-decoding, IPv6 in brackets, port 6379, database 0.
 * On refusal `err` (config) says what is wrong without showing any part of the text.
 */
int redis_url_parse(struct redis_url *out, const char *text, struct error *err) must_check;

#endif
