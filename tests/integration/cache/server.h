#ifndef INTEGRATION_CACHE_SERVER_H
#define INTEGRATION_CACHE_SERVER_H

#include "cache/redis.h"

/*
 * The Redis that tests/run started. Whatever goes wrong here ends the test program: a missing server fails a test.
 */

/** Its URL. */
const char *server_url(void);

/** "kill", "start", "freeze" or "thaw". Blocking. */
void server_do(const char *command);

/** Sends a command of words that are separated by blanks, over a connection of its own. freeReplyObject() the reply. */
struct redisReply *server_ask(const char *words);

/** The same, and fails the test unless the reply is this text or number. */
void server_expect(const char *words, const char *reply);

/** A client with time enough for a busy machine; `timeout_ms` 0 for that. */
struct redis *server_client(int64_t timeout_ms);

/** Waits until the client has a connection, or has none. */
void server_wait(struct redis *redis, bool up);

#endif
