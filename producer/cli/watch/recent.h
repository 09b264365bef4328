#ifndef CLI_RECENT_H
#define CLI_RECENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "job/reply.h"

/** Tasks that are remembered at most: of a fleet that finishes more in the time that is asked about, the last ones. */
#define RECENT_MOST 16384

/** What was heard of tasks lately. Zero-initialise. */
struct recent {
	struct recent_task {
		int64_t at_ms; /* monotonic */
		enum task_state state;
		enum error_code code;
		double total_ms; /* negative: not said */
	} tasks[RECENT_MOST];
	size_t next;
	size_t count;
};

/** Adds what a task has come to: TASK_SUCCEEDED, FINAL_FAILED or RETRYING. Times must not fall. */
void recent_add(struct recent *recent, int64_t at_ms, enum task_state state, enum error_code code, double total_ms);

struct recent_errors {
	enum error_code code;
	unsigned count;
};

/** What it comes to. */
struct recent_summary {
	int64_t span_ms; /**< the time it is about: less than asked for if more tasks ended than are remembered */
	unsigned succeeded;
	unsigned failed;  /**< for good */
	unsigned retried; /**< attempts that are made again */
	unsigned timed;   /**< that said how long they took */
	double p50_ms;
	double p99_ms;
	struct recent_errors errors[ERROR_CODE_COUNT]; /**< of failed and retried ones, the most frequent first */
	unsigned error_count;
};

/** Summarises the `window_ms` before `now_ms`. */
void recent_summarise(const struct recent *recent, int64_t now_ms, int64_t window_ms, struct recent_summary *out);

#endif
