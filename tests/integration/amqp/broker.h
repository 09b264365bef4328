#ifndef INTEGRATION_BROKER_H
#define INTEGRATION_BROKER_H

#include "amqp/connection.h"
#include "amqp/url.h"

/*
 * The broker that tests/run started, and what a test may do to it. Whatever goes wrong here ends
 * the test program: a missing server fails a test.
 */

/**
 * The broker, with a new, empty virtual host: for one test each. It stays until the broker ends: a queue that
 * dead-letters at-least-once and is deleted just after it got its leader can take every other one with it (see
 * CONTRIBUTING).
 */
void broker_new_vhost(struct amqp_url *url);

/** Ends it politely or with SIGKILL, and starts it again: same data, same port. Blocking. */
void broker_restart(void);
void broker_crash(void);

/** Stops the process in its tracks (SIGSTOP; returns when it stands still) and lets it go on. */
void broker_freeze(void);
void broker_thaw(void);

/** Makes a user with the password "limited" who may write to exchanges whose names match, and read and configure
 * nothing, and puts it into `url`. */
void broker_limit_user(struct amqp_url *url, const char *exchanges);

/** Sets the largest message that it takes, or takes the limit away (0). It is restarted. */
void broker_limit_messages(unsigned bytes);

/** Raises or ends the memory alarm. */
void broker_set_memory_alarm(bool raised);

/**
 * Gives the broker a TLS port with a certificate for "localhost" (it is restarted) and returns it.
 * `folder` gets ca.pem, the certificate to trust, and other.pem, one that has nothing to do with it.
 */
uint16_t broker_start_tls(const char *folder);

/** Takes the TLS port away again, and deletes the folder. */
void broker_stop_tls(const char *folder);

/** Closes every connection called `name` from the broker's side; true if there was one. */
bool broker_close_connection(const char *name);

/** A plain connection, for what no program of ours does. Close with connection_close(). */
void broker_connect(const struct amqp_url *url, struct connection *out);

/** Deletes a queue, or counts the messages that are ready in it. */
void broker_delete_queue(const struct amqp_url *url, const char *queue);
unsigned broker_count_ready(const struct amqp_url *url, const char *queue);

/** Counts the virtual host's queues whose names begin so. */
unsigned broker_count_queues(const struct amqp_url *url, const char *prefix);

#endif
