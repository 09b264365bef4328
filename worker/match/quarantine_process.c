#include "quarantine_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* How often a deadline and a cancellation are looked at. */
#define SLICE_MS 20
#define CHUNK_BYTES 65536
/* What a job's error calls the work that is not done in time. */
#define STAGE "its photographs were looked at"

/* ---- start ---- */

static bool is_private(const char *variable)
{
	static const char *const prefixes[] = {"FACEFLEET_", "NOTIFY_SOCKET=", "WATCHDOG_", "OPENBLAS_NUM_THREADS="};

	for (size_t i = 0; i < array_size(prefixes); i++)
		if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* The program's environment without its settings. The strings are borrowed. */
static char **make_environment(void)
{
	static char one_thread[] = "OPENBLAS_NUM_THREADS=1";
	size_t count = 0;
	size_t kept = 0;

	while (environ[count])
		count++;
	char **out = calloc(count + 2, sizeof(*out));
	if (!out)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!is_private(environ[i]))
			out[kept++] = environ[i];
	out[kept] = one_thread;
	return out;
}

/* Whoever stops the program may mean its whole process group; the job would be blamed for it. */
static void set_signals(posix_spawnattr_t *attributes)
{
	sigset_t blocked, usual;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGHUP);
	sigaddset(&blocked, SIGQUIT);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_setsigmask(attributes, &blocked);
	posix_spawnattr_setsigdefault(attributes, &usual);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(pid_t *pid, const char *program, char *const argv[], int input, int output)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char **environment = make_environment();

	if (!environment)
		return -ENOMEM;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	set_signals(&attributes);
	int r = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	if (r == 0)
		r = posix_spawn(pid, program, &actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(environment);
	return -r;
}

int quarantine_process_start(struct quarantine_process *process, const char *program, char *const argv[], int input)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	/* Only this end: a process writes to its standard output and waits. */
	if (fcntl(ends[1], F_SETFL, 0) < 0) {
		int failed = -errno;
		close(ends[0]);
		close(ends[1]);
		return failed;
	}
	int r = spawn(&process->pid, program, argv, input, ends[1]);
	close(ends[1]);
	if (r < 0)
		close(ends[0]);
	else
		process->output = ends[0];
	return r;
}

/* ---- life ---- */

/* Reads what is there, and waits while nothing is: bytes, 0 at the end, or the errno of `err`. */
static ssize_t read_some(const struct quarantine_process *process, const struct context *ctx, int64_t until_ms,
			 void *bytes, size_t size, struct error *err)
{
	for (;;) {
		struct pollfd p = {.fd = process->output, .events = POLLIN};
		int r = context_check(ctx, STAGE, err);
		if (r < 0)
			return r;
		poll(&p, 1, SLICE_MS);
		ssize_t n = read(process->output, bytes, size);
		if (n >= 0)
			return n;
		if (errno != EAGAIN && errno != EINTR)
			return error_set(err, ERROR_INTERNAL, "a suspect job's process cannot be heard: %s",
					 strerror(errno));
		if (clock_monotonic_ms() >= until_ms)
			return error_set(err, ERROR_INTERNAL, "a suspect job's process is not ready in time");
	}
}

int quarantine_process_wait_ready(struct quarantine_process *process, const struct context *ctx, int64_t timeout_ms,
				  struct error *err)
{
	char byte = 0;
	ssize_t n = read_some(process, ctx, clock_monotonic_ms() + timeout_ms, &byte, 1, err);

	if (n < 0)
		return (int)n;
	return byte == QUARANTINE_READY ? 0 : error_set(err, ERROR_INTERNAL, "a suspect job's process does not start");
}

int quarantine_process_listen(struct quarantine_process *process, const struct context *ctx, struct buffer *out,
			      struct error *err)
{
	for (;;) {
		uint8_t chunk[CHUNK_BYTES];
		ssize_t n = read_some(process, ctx, INT64_MAX, chunk, sizeof(chunk), err);
		if (n <= 0)
			return (int)n;
		int r = buffer_append(out, chunk, (size_t)n);
		if (r == -EMSGSIZE)
			return 0;
		if (r < 0)
			return error_set(err, ERROR_INTERNAL, "what a suspect job's process says is lost: %s",
					 strerror(-r));
	}
}

int quarantine_process_end(struct quarantine_process *process)
{
	int status = 0;

	close(process->output);
	/* One that ended by itself keeps the status it ended with. */
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}
