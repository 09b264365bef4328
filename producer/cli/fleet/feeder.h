#ifndef CLI_FEEDER_H
#define CLI_FEEDER_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "cli/fleet/client.h"
#include "cli/fleet/pending.h"
#include "cli/output/id_set.h"
#include "job/job.h"

/**
 * The thread that reads the input: rows, their image files, jobs encoded as messages. It works only
 * on what it is granted, so the main thread decides how far it reads ahead.
 */
struct feeder;

/** Everything is borrowed until feeder_stop(). */
struct feeder_settings {
	struct client *client;
	int fd;                       /**< the input, a folder too if the rows can come of one */
	const char *base_dir;         /**< relative image paths count from here */
	const struct id_set *present; /**< rows of these ids are skipped */
	size_t max_image_bytes;
	enum job_op op;           /**< what the rows ask for: JOB_MATCH or JOB_ENROLL */
	const char *collection;   /**< of rows that name none */
	const char *scene;        /**< of rows that name none */
	const char *callback_url; /**< of rows that name none; NULL: none */
	struct job_options options;
	size_t max_grants; /**< granted and not posted, at any moment */
};

int feeder_start(struct feeder **out, const struct feeder_settings *settings, struct error *err) must_check;

/**
 * Lets the feeder read one more row. It comes out of client_next() as the subject of a
 * CLIENT_POSTED, filled in: with a message, or with the error why there is none. After the last
 * row the feeder itself comes out, and what is still granted will never.
 */
void feeder_grant(struct feeder *feeder, struct pending *pending);

/** Why the input ended before its end; NULL if it did not. For after the feeder itself came out. */
const struct error *feeder_error(const struct feeder *feeder);

/** How far the input was read. */
struct feeder_position {
	uint64_t rows;
	uint64_t skipped;
	uint64_t bytes;
};

/** Any time. */
void feeder_position(struct feeder *feeder, struct feeder_position *out);

/** Ends the thread, also one that waits for input, and waits for it. */
void feeder_stop(struct feeder *feeder);

/** After feeder_stop() and client_free(). NULL is fine. */
void feeder_free(struct feeder *feeder);

#endif
