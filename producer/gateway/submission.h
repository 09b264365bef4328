#ifndef GATEWAY_SUBMISSION_H
#define GATEWAY_SUBMISSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "amqp/link.h"
#include "amqp/message.h"
#include "base/compiler.h"
#include "base/error.h"
#include "http/service.h"
#include "job/job.h"
#include "prefer.h"
#include "recent.h"
#include "ticket.h"

/** One job on its way to the broker, and the request that it came in with. */
struct submission {
	TAILQ_ENTRY(submission) entry;
	LIST_ENTRY(submission) in_bucket;
	struct desk *desk;
	struct http_call *call; /**< NULL once it is answered */
	struct recent_task task;
	struct envelope event; /**< of what is to be said about the task: its trace, owner, times */
	struct prefer prefer;
	struct ticket *ticket; /**< of its Idempotency-Key, NULL for none; whoever ends it takes it */
	int64_t confirm_by_ms; /**< monotonic */
	int64_t wait_until_ms; /**< monotonic; 0: does not wait for the reply */
	size_t bytes;          /**< of its message, while it is pending */
	bool pending;          /**< the broker has not answered yet */
	bool confirmed;
	bool lost; /**< sent over a connection that broke: it may be there, whatever becomes of it when it is sent again
		    */
};

/** Who submits, and with which trace. Strings are "" when absent, never NULL. */
struct submitter {
	const char *owner;
	const char *traceparent;
	const char *tracestate;
	struct prefer prefer;
};

/**
 * Makes a submission of a job, with a new task id, accepted now, and the message that carries it. Neither borrows from
 * `job`. -EBADMSG and `err` for a job that cannot be encoded; -EAGAIN without memory.
 */
int submission_new(struct submission **out, struct amqp_message **message, const struct job *job,
		   const struct submitter *submitter, struct error *err) must_check;

/**
 * Makes a submission of a job whose message exists, which is copied from. -EBADMSG and `err` for a job that cannot be
 * read; -EAGAIN without memory.
 */
int submission_of(struct submission **out, const struct amqp_message *message, struct error *err) must_check;

/** Gives the task another id, before it is submitted: that of an earlier attempt at the same request. */
void submission_set_id(struct submission *submission, struct amqp_message *message, const char *task_id);

void submission_free(struct submission *submission);

/** Publishes the `pending` event of the task. Never blocks; an event that is dropped is logged. */
void submission_announce(const struct submission *submission, struct amqp_link *link);

/** Answers 202 with the place of the task. */
void submission_answer_accepted(struct submission *submission);

/** Answers 202 with the place of the task that the job becomes at `due_ms`. */
void submission_answer_scheduled(struct submission *submission, int64_t due_ms);

/** Answers 202 with the place of a task that an earlier request has begun. */
void submission_answer_repeated(struct http_call *call, const char *task_id);

/** Answers 200 with the reply, JSON of `size` bytes. */
void submission_answer_reply(struct submission *submission, const char *json, size_t size);

/** Answers with a problem that names the task if it may exist. */
void submission_refuse(struct submission *submission, const struct http_problem_kind *kind, bool may_exist,
		       const char *detail);

#endif
