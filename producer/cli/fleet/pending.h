#ifndef CLI_PENDING_H
#define CLI_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amqp/message.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/uuid.h"
#include "cli/fleet/client.h"
#include "job/job.h"

/** One row on its way from the input file to its result. Belongs to its table, is used by one thread at a time. */
struct pending {
	struct client_ticket ticket;
	uint64_t line;                               /**< in the input; 0: it has no lines */
	char reference[JOB_MAX_REFERENCE_BYTES + 1]; /**< the row's id */
	char user_id[JOB_MAX_USER_BYTES + 1];        /**< whom an enrolment is about */
	char task_id[UUID_SIZE];
	struct amqp_message *message; /**< to be sent, or sent again */
	struct error error;           /**< set: the row cannot be sent */
	size_t bytes;                 /**< of the body while it is unconfirmed */
	int64_t patience_ms;          /**< longest wait for a reply, counted from the confirm */
	int64_t confirmed_ms;         /**< monotonic; 0: not yet */
	bool answered;
	bool awaited;               /**< in the table's index */
	struct pending *next;       /**< of the table's lists */
	struct pending *next_again; /**< of those to send again */
};

/** A fixed number of pending rows, and an index of those whose reply is awaited. One thread. */
struct pending_table;

/** NULL when memory is out. */
struct pending_table *pending_table_new(size_t capacity) must_check;
void pending_table_free(struct pending_table *table);

/** An empty one, or NULL when all are in use. */
struct pending *pending_take(struct pending_table *table);

/** Gives it back, with its message. It must not be awaited. */
void pending_give_back(struct pending_table *table, struct pending *pending);

/** Adds it to the index under its task id. */
void pending_await(struct pending_table *table, struct pending *pending);

/** Takes the one of this task id out of the index; NULL if none is awaited. */
struct pending *pending_answer(struct pending_table *table, const char *task_id);

/**
 * Takes one out of the index whose patience is over at `now_ms` (monotonic); NULL when there is
 * none. *cursor starts at 0 and makes a series of calls look at each once.
 */
struct pending *pending_overdue(struct pending_table *table, int64_t now_ms, size_t *cursor);

#endif
