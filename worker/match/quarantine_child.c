#include "quarantine_child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "matcher.h"
#include "quarantine_process.h"
#include "quarantine_request.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WATCHED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(FACEFLEET_MEMCHECK)
#define WATCHED
#endif

/* Beyond these a job's process is ended; what a photograph may need in memory grows with the pixels it may have. */
#define MAX_CPU_SECONDS 120
#define MAX_MEMORY_BYTES (4ull << 30)
#define MAX_BYTES_PER_PIXEL 12
#define MAX_DESCRIPTORS 32

bool quarantine_is_child(int argc, char **argv)
{
	return argc == QUARANTINE_ARGUMENTS && strcmp(argv[1], QUARANTINE_MODE) == 0;
}

static int limit(int resource, rlim_t most)
{
	const struct rlimit limits = {most, most};

	return setrlimit(resource, &limits);
}

static int limit_oneself(const struct image_limits *images)
{
	int r = prctl(PR_SET_PDEATHSIG, SIGKILL) | prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) | limit(RLIMIT_CORE, 0) |
		limit(RLIMIT_CPU, MAX_CPU_SECONDS);

#ifndef WATCHED /* sanitizers reserve more memory than there is, and valgrind refuses limits of descriptors */
	r |= limit(RLIMIT_NOFILE, MAX_DESCRIPTORS);
	r |= limit(RLIMIT_AS, MAX_MEMORY_BYTES + (rlim_t)images->max_pixels * MAX_BYTES_PER_PIXEL);
#else
	(void)images;
#endif
	return r;
}

static int say(const void *bytes, size_t size)
{
	return fwrite(bytes, 1, size, stdout) == size && fflush(stdout) == 0 ? 0 : -EPIPE;
}

static int look(struct matcher *matcher, const struct modelset *models)
{
	struct quarantine_request request;
	struct sightings *found = calloc(1, sizeof(*found));
	struct buffer answer = {.limit = SIGHTINGS_MAX_BYTES};
	int r = found ? quarantine_request_read(STDIN_FILENO, &request) : -ENOMEM;

	if (r == 0) {
		/* An error is an answer, too. */
		if (matcher_see(matcher, NULL, &request.job, found) < 0)
			buffer_clear(&found->portrait);
		r = sightings_write(found, request.job.op, models->embedder.dimension, &answer);
		quarantine_request_finish(&request);
	}
	if (r == 0)
		r = say(answer.data, answer.size);
	if (found)
		sightings_finish(found);
	free(found);
	buffer_finish(&answer);
	return r;
}

int quarantine_child(char **argv)
{
	struct matcher_settings settings = {
	    .limits = {.max_bytes = strtoull(argv[4], NULL, 10),
		       .max_pixels = strtoll(argv[5], NULL, 10),
		       .max_side = (int)strtol(argv[6], NULL, 10)},
	};
	struct modelset *models = NULL;
	struct matcher *matcher = NULL;
	struct error err = {0};
	const char ready = QUARANTINE_READY;
	int r = limit_oneself(&settings.limits);

	if (r < 0)
		error_set(&err, ERROR_INTERNAL, "limits of a suspect job's process: %s", strerror(errno));
	if (r == 0)
		r = modelset_load(&models, argv[2], argv[3], &err);
	settings.models = models;
	if (r == 0)
		r = matcher_new(&matcher, &settings, &err);
	if (r < 0)
		fprintf(stderr, "facefleet-worker: %s\n", err.text);
	if (r == 0)
		r = say(&ready, sizeof(ready));
	if (r == 0)
		r = look(matcher, models);
	matcher_free(matcher);
	modelset_free(models);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
