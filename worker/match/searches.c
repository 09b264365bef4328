#include "searches.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"

struct searches {
	struct matcher *matcher;
	searches_finished_fn *finished;
	void *arg;
	unsigned count;
	int64_t until_ms; /* how long the first of them waits */
	struct task *tasks[SEARCHES_TOGETHER];
	struct matcher_search searches[SEARCHES_TOGETHER];
};

struct searches *searches_new(struct matcher *matcher, searches_finished_fn *finished, void *arg)
{
	struct searches *searches = calloc(1, sizeof(*searches));

	if (!searches)
		return NULL;
	searches->matcher = matcher;
	searches->finished = finished;
	searches->arg = arg;
	return searches;
}

void searches_free(struct searches *searches)
{
	free(searches);
}

void searches_take(struct searches *s, struct task *task)
{
	struct error err = {0};

	if (matcher_search_begin(s->matcher, &task->ctx, &task->job, &task->reply, &s->searches[s->count], &err) < 0) {
		s->finished(s->arg, task, &err);
		return;
	}
	if (s->count == 0)
		s->until_ms = clock_monotonic_ms() + SEARCHES_PATIENCE_MS;
	s->tasks[s->count++] = task;
	if (s->count == SEARCHES_TOGETHER || !matcher_search_gains(s->matcher, &task->job))
		searches_finish(s);
}

bool searches_are_due(const struct searches *s)
{
	return s->count > 0 && clock_monotonic_ms() >= s->until_ms;
}

void searches_finish(struct searches *s)
{
	unsigned count = s->count;

	if (count == 0)
		return;
	matcher_search_end(s->matcher, s->searches, count);
	s->count = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct error *err = &s->searches[i].error;

		s->finished(s->arg, s->tasks[i], error_is_set(err) ? err : NULL);
	}
}
