#include "quarantine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/executable.h"
#include "quarantine_child.h"
#include "quarantine_process.h"
#include "quarantine_request.h"

/* The models have to be read first. */
#define START_TIMEOUT_MS 60000

bool quarantine_wants(const struct task *task)
{
	return task_is_suspect(task) && sightings_photographs(task->job.op) > 0;
}

static int start(const struct quarantine_settings *settings, int request, struct quarantine_process *process)
{
	static char name[] = "facefleet-worker";
	static char mode[] = QUARANTINE_MODE;
	char numbers[3][24];
	char *argv[QUARANTINE_ARGUMENTS + 1] = {
	    name, mode, (char *)settings->detector, (char *)settings->embedder, numbers[0], numbers[1], numbers[2],
	};

	snprintf(numbers[0], sizeof(numbers[0]), "%zu", settings->limits.max_bytes);
	snprintf(numbers[1], sizeof(numbers[1]), "%lld", (long long)settings->limits.max_pixels);
	snprintf(numbers[2], sizeof(numbers[2]), "%d", settings->limits.max_side);
	return quarantine_process_start(process, settings->program ? settings->program : executable_again(), argv,
					request);
}

/* What it takes to read the models is not the job's time. */
static int wait_ready(struct quarantine_process *process, struct context *ctx, struct error *err)
{
	int64_t attempt_deadline = ctx->attempt_deadline_ms;
	int64_t started = clock_monotonic_ms();

	ctx->attempt_deadline_ms = 0;
	int r = quarantine_process_wait_ready(process, ctx, START_TIMEOUT_MS, err);
	if (attempt_deadline != 0)
		ctx->attempt_deadline_ms = attempt_deadline + clock_monotonic_ms() - started;
	return r;
}

static int blame(int status, struct error *err)
{
	if (WIFSIGNALED(status)) {
		int number = WTERMSIG(status);
		const char *name = sigabbrev_np(number);

		return error_set_limit(err, ERROR_POISON, "signal", number, 0,
				       "the job killed the process that looked at its photographs: SIG%s (%d)",
				       name ? name : "?", number);
	}
	return error_set_limit(err, ERROR_POISON, "exit_status", WEXITSTATUS(status), 0,
			       "the job ended the process that looked at its photographs: exit status %d, no answer",
			       WEXITSTATUS(status));
}

static int read_answer(const struct quarantine_settings *settings, const struct job *job, const struct buffer *answer,
		       int status, struct sightings *out, struct error *err)
{
	int r = WIFEXITED(status) && WEXITSTATUS(status) == 0
		    ? sightings_read(answer->data, answer->size, job->op, settings->dimension, out)
		    : -EBADMSG;

	if (r == -ENOMEM)
		return error_set(err, ERROR_INTERNAL, "no memory for what was found in a suspect job's photographs");
	return r < 0 ? blame(status, err) : 0;
}

int quarantine_look(const struct quarantine_settings *settings, struct context *ctx, const struct job *job,
		    struct sightings *out, struct error *err)
{
	struct buffer answer = {.limit = SIGHTINGS_MAX_BYTES};
	struct quarantine_process process;
	int request = quarantine_request_write(job);
	int r = request < 0 ? request : start(settings, request, &process);

	if (request >= 0)
		close(request);
	if (r < 0)
		return error_set(err, ERROR_INTERNAL, "no process for a suspect job: %s", strerror(-r));
	r = wait_ready(&process, ctx, err);
	if (r == 0)
		r = quarantine_process_listen(&process, ctx, &answer, err);
	int status = quarantine_process_end(&process);
	if (r == 0)
		r = read_answer(settings, job, &answer, status, out, err);
	buffer_finish(&answer);
	return r;
}
