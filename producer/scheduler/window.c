#include "window.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What lies beyond the window is read so long before it is due, and no more often. */
#define LEAD_MS 10000
#define PAUSE_MS 1000

int window_init(struct window *window)
{
	*window = (struct window){.entries = calloc(WINDOW_MAX_ENTRIES, sizeof(struct window_entry))};
	if (!window->entries)
		return -ENOMEM;
	window_clear(window);
	return 0;
}

void window_finish(struct window *window)
{
	timer_heap_finish(&window->heap);
	free(window->entries);
	*window = (struct window){0};
}

void window_clear(struct window *window)
{
	timer_heap_finish(&window->heap);
	window->free = NULL;
	for (size_t i = WINDOW_MAX_ENTRIES; i > 0; i--) {
		window->entries[i - 1].next_free = window->free;
		window->free = &window->entries[i - 1];
	}
	window->until_ms = 0;
	window->is_stale = true;
}

bool window_is_due(const struct window *window, int64_t now_ms)
{
	if (window->is_stale || (window->heap.count == 0 && window->until_ms <= now_ms))
		return true;
	return window->until_ms <= now_ms + LEAD_MS && window->loaded_ms + PAUSE_MS <= now_ms;
}

/* False when there is no room. */
static bool put(struct window *window, const char *schedule_id, int64_t due_ms, bool may_skip)
{
	struct window_entry *entry = window->free;

	if (!entry || timer_heap_add(&window->heap, &entry->timer, due_ms) < 0)
		return false;
	window->free = entry->next_free;
	memcpy(entry->schedule_id, schedule_id, UUID_SIZE);
	entry->due_ms = due_ms;
	entry->may_skip = may_skip;
	return true;
}

struct filling {
	struct window *window;
	window_exclude_fn *exclude;
	void *arg;
	unsigned count;
	int64_t last_due_ms;
};

/* A run that was claimed has begun: it is not missed any more. */
static bool may_skip(const struct schedule *s)
{
	return s->misfire == MISFIRE_SKIP && s->task_id[0] == '\0' && (s->cron[0] != '\0' || s->every_ms > 0);
}

static int take_in(void *arg, const struct schedule *s, struct error *err)
{
	struct filling *filling = arg;

	filling->count++;
	filling->last_due_ms = s->due_ms;
	if (filling->exclude(filling->arg, s->schedule_id) ||
	    put(filling->window, s->schedule_id, s->due_ms, may_skip(s)))
		return 0;
	return error_set(err, ERROR_INTERNAL, "no memory for schedules");
}

int window_fill(struct window *window, struct store *store, int64_t now_ms, window_exclude_fn *exclude, void *arg,
		struct error *err)
{
	struct filling filling = {.window = window, .exclude = exclude, .arg = arg};
	int64_t until_ms = now_ms + WINDOW_AHEAD_MS;

	window_clear(window);
	int r = schedules_upcoming(store, until_ms, WINDOW_MAX_ENTRIES, take_in, &filling, err);
	if (r < 0) {
		window_clear(window);
		return r;
	}
	window->until_ms = filling.count < WINDOW_MAX_ENTRIES ? until_ms : filling.last_due_ms;
	window->loaded_ms = now_ms;
	window->is_stale = false;
	return 0;
}

void window_add(struct window *window, const char *schedule_id, int64_t due_ms, bool skips)
{
	if (due_ms < window->until_ms && !put(window, schedule_id, due_ms, skips))
		window->is_stale = true;
}

int64_t window_next_ms(const struct window *window)
{
	const struct timer *first = timer_heap_first(&window->heap);

	return first ? first->due_ms : INT64_MAX;
}

bool window_take(struct window *window, int64_t now_ms, struct window_entry *out)
{
	struct timer *first = timer_heap_first(&window->heap);

	if (!first || first->due_ms > now_ms)
		return false;
	struct window_entry *entry = (struct window_entry *)((char *)first - offsetof(struct window_entry, timer));
	timer_heap_remove(&window->heap, first);
	*out = *entry;
	entry->next_free = window->free;
	window->free = entry;
	return true;
}
