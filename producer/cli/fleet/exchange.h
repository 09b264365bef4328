#ifndef CLI_EXCHANGE_H
#define CLI_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "cli/output/exit_status.h"
#include "config/config.h"
#include "job/job.h"
#include "job/reply.h"

/**
 * One job at a time, each waited for, over connections that are opened for the first. What goes wrong on the
 * way is reported to standard error here, so that callers only look at statuses. One thread.
 */
struct exchange;

struct exchange_settings {
	const struct config *config;
	bool quiet;         /**< no notes beside errors */
	int64_t timeout_ms; /**< for each reply */
};

/** Does nothing yet. NULL when memory is out. */
struct exchange *exchange_new(const struct exchange_settings *settings) must_check;

/**
 * Sends `job` and waits for its reply. STATUS_OK with *reply, which is good until the next call; or the reported
 * reason: a job that cannot be sent (STATUS_USAGE), no reply in time, no broker, a signal. Blocking.
 */
enum exit_status exchange_ask(struct exchange *x, const struct job *job, const struct reply **reply) must_check;

/** NULL is fine. */
void exchange_free(struct exchange *x);

/** What a command makes of the reply it was waiting for. */
typedef enum exit_status exchange_reply_fn(void *arg, const struct reply *reply);

/** The whole way of a command with one job: asks, and hands the reply to `fn`. */
enum exit_status exchange_once(const struct exchange_settings *settings, const struct job *job, exchange_reply_fn *fn,
			       void *arg);

#endif
