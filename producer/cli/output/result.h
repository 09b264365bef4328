#ifndef CLI_RESULT_H
#define CLI_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/uuid.h"
#include "job/reply.h"

/** How result lines are written. */
enum result_format { RESULT_JSONL, RESULT_CSV };

int result_format_from_name(const char *name, enum result_format *format) must_check;

/**
 * What `facefleet submit` and `enroll --from` say about one row: the task's reply, flattened. Strings are "" and
 * numbers NAN where there is nothing to say. Borrows its strings.
 */
struct result {
	const char *id;
	const char *task_id;
	const char *state;   /**< "pending" (sent, not waited for), "succeeded", "final_failed" */
	const char *user_id; /**< of an enrolment */
	double score;        /**< of its face */
	bool has_match;
	bool matched;
	double similarity;
	double threshold;
	const char *error; /**< code; also `no_reply` */
	const char *message;
	const char *measure; /**< which measure broke which limit */
	double value;
	double limit;
	double queue_ms;
	double total_ms;
	int attempt; /**< 0: unknown */
	const char *worker;
	const char *model;
};

/** A result that knows only these three. */
void result_init(struct result *result, const char *id, const char *task_id, const char *state);

/** The result of a reply, which must outlive it. */
void result_from_reply(struct result *result, const struct reply *reply);

/** Appends the header line of the format for rows of that op; JSONL has none. Returns as buffer_append(). */
int result_header(enum job_op op, enum result_format format, struct buffer *out) must_check;

/**
 * Appends one line, of the columns that the op has: a result of a match says whether they are the same, one of an
 * enrolment who was enrolled and what is to be made better. With `for_terminal` no character of a value can steer a
 * terminal. In CSV a value never holds a line end, so a line is a row. Returns as buffer_append().
 */
int result_line(enum job_op op, const struct result *result, enum result_format format, bool for_terminal,
		struct buffer *out) must_check;

#endif
