#ifndef MATCH_QUARANTINE_PROCESS_H
#define MATCH_QUARANTINE_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"

/**
 * A process that is given a file to read and is listened to: it says that it is ready with one byte, and then what it
 * has to say, on its standard output. It has no other descriptors than these and standard error, no settings in its
 * environment, hears no signal that is meant for the program, and ends with the thread that started it.
 */
struct quarantine_process {
	pid_t pid;
	int output;
};

#define QUARANTINE_READY 'R'

/** Starts `program` with `input` as its standard input, which stays the caller's. 0 or a negative errno. */
int quarantine_process_start(struct quarantine_process *process, const char *program, char *const argv[],
			     int input) must_check;

/** Waits until it is ready: 0; the error of `ctx`; or `internal` when it ends, or takes longer than `timeout_ms`. */
int quarantine_process_wait_ready(struct quarantine_process *process, const struct context *ctx, int64_t timeout_ms,
				  struct error *err) must_check;

/** Takes what it says into `out`, until it ends or says more than out->limit: 0; the error of `ctx`; `internal` without
 * memory. */
int quarantine_process_listen(struct quarantine_process *process, const struct context *ctx, struct buffer *out,
			      struct error *err) must_check;

/** Kills it if it still runs. How it ended, as waitpid() says. */
int quarantine_process_end(struct quarantine_process *process);

#endif
