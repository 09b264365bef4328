#include "cli/watch/recent.h"

#include <stdlib.h>
#include <string.h>

void recent_add(struct recent *recent, int64_t at_ms, enum task_state state, enum error_code code, double total_ms)
{
	recent->tasks[recent->next] =
	    (struct recent_task){.at_ms = at_ms, .state = state, .code = code, .total_ms = total_ms};
	recent->next = (recent->next + 1) % RECENT_MOST;
	if (recent->count < RECENT_MOST)
		recent->count++;
}

static int by_size(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;

	return (a > b) - (a < b);
}

static int by_count(const void *left, const void *right)
{
	const struct recent_errors *a = left;
	const struct recent_errors *b = right;

	return a->count != b->count ? (a->count < b->count) - (a->count > b->count) : (int)a->code - (int)b->code;
}

static void count(struct recent_summary *out, unsigned codes[ERROR_CODE_COUNT], const struct recent_task *task)
{
	out->succeeded += task->state == TASK_SUCCEEDED;
	out->failed += task->state == TASK_FINAL_FAILED;
	out->retried += task->state == TASK_RETRYING;
	if (task->state != TASK_SUCCEEDED)
		codes[task->code]++;
}

/* Nearest rank. */
static double percentile(const double *sorted, unsigned n, unsigned percent)
{
	unsigned rank = (n * percent + 99) / 100;

	return n > 0 ? sorted[rank > 0 ? rank - 1 : 0] : 0;
}

static void take_percentiles(struct recent_summary *out, double *times)
{
	qsort(times, out->timed, sizeof(*times), by_size);
	out->p50_ms = percentile(times, out->timed, 50);
	out->p99_ms = percentile(times, out->timed, 99);
}

static void list_errors(struct recent_summary *out, const unsigned codes[ERROR_CODE_COUNT])
{
	for (unsigned i = 0; i < ERROR_CODE_COUNT; i++)
		if (codes[i] > 0)
			out->errors[out->error_count++] =
			    (struct recent_errors){.code = (enum error_code)i, .count = codes[i]};
	qsort(out->errors, out->error_count, sizeof(out->errors[0]), by_count);
}

void recent_summarise(const struct recent *recent, int64_t now_ms, int64_t window_ms, struct recent_summary *out)
{
	size_t first = (recent->next + RECENT_MOST - recent->count) % RECENT_MOST;
	double *times = calloc(recent->count + 1, sizeof(*times));
	unsigned codes[ERROR_CODE_COUNT] = {0};

	*out = (struct recent_summary){.span_ms = window_ms};
	if (recent->count == RECENT_MOST && now_ms - recent->tasks[first].at_ms < window_ms)
		out->span_ms = now_ms - recent->tasks[first].at_ms;
	for (size_t i = 0; i < recent->count; i++) {
		const struct recent_task *task = &recent->tasks[(first + i) % RECENT_MOST];
		if (task->at_ms < now_ms - window_ms)
			continue;
		count(out, codes, task);
		/* Without memory there are no times. */
		if (times && task->total_ms >= 0)
			times[out->timed++] = task->total_ms;
	}
	if (times)
		take_percentiles(out, times);
	list_errors(out, codes);
	free(times);
}
