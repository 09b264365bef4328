#ifndef MATCH_DEAD_H
#define MATCH_DEAD_H

#include "amqp/link.h"
#include "base/compiler.h"
#include "base/error.h"
#include "outbox.h"
#include "records.h"
#include "roster.h"

/**
 * Reports jobs the broker gave up on (delivered again and again without an answer): each is answered as final_failed
 * (`poison`) and parked, or as it was answered before, if the store knows. It has a connection and a thread of its own,
 * which never compute, so that jobs that kill compute threads are still answered.
 */
struct dead;

struct dead_settings {
	struct amqp_link_settings link; /**< name, topology and callbacks are filled in here */
	struct roster *roster;
	struct outbox *outbox;
	struct records *records; /**< NULL: without a store */
	const char *worker;
};

/** Starts consuming the queue of dead jobs. */
int dead_start(struct dead **out, const struct dead_settings *settings, struct error *err) must_check;

/** Takes no more dead jobs. */
void dead_drain(struct dead *dead);

/** As amqp_link_is_alive() of its connection. Any thread. */
bool dead_is_alive(struct dead *dead, int64_t silence_ms, char *why, size_t why_size) must_check;

/** Closes the connection, answers what is in hand and frees. After the publishing link is stopped, before it is freed.
 * NULL is fine. */
void dead_free(struct dead *dead);

#endif
