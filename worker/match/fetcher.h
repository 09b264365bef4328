#ifndef MATCH_FETCHER_H
#define MATCH_FETCHER_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "http/client.h"
#include "obs/metrics.h"
#include "task.h"

/**
 * Fetches the photographs that jobs give by URL, on one thread of its own, many at a time. A host that keeps failing is
 * not asked for a while (a circuit breaker for each): what it has fails at once.
 */
struct fetcher;

struct fetcher_settings {
	const char *allow; /**< CIDR list of private networks that may be fetched from */
	int64_t timeout_ms;
	size_t max_bytes;
	unsigned max_in_flight;
	struct metrics *metrics;
	/** Called when a task has all its images or a failure (task_fetch.error), on the fetcher's thread. */
	void (*done)(void *arg, struct task *task);
	void *arg;
};

/** `err` (config) names a network that is none. */
int fetcher_new(struct fetcher **out, const struct fetcher_settings *settings, struct error *err) must_check;

/** Another time limit for fetches that begin from now on. Any thread. */
void fetcher_set_timeout(struct fetcher *fetcher, int64_t timeout_ms);

/** Fetches what `task` needs; done() gets it exactly once, possibly before this returns. Any thread. */
void fetcher_start(struct fetcher *fetcher, struct task *task);

/** Ends every fetch (their tasks still reach done()), joins the thread, frees. NULL is fine. */
void fetcher_free(struct fetcher *fetcher);

/** The error of the photograph that could not be fetched, `a` first; NULL when all came. */
const struct error *fetcher_error(const struct task *task);

#endif
