#ifndef SCHEDULER_WINDOW_H
#define SCHEDULER_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/timer_heap.h"
#include "base/uuid.h"
#include "store/schedules.h"

/** As many schedules are in memory at most, and for so long ahead, whatever the table holds. */
#define WINDOW_MAX_ENTRIES 10000
#define WINDOW_AHEAD_MS 3600000

/**
 * The schedules that are due next: all that are due before `until_ms`, but for those that are excluded because they are
 * in hand. Used by one thread.
 */
struct window_entry {
	struct timer timer;
	struct window_entry *next_free;
	char schedule_id[UUID_SIZE];
	int64_t due_ms;
	bool may_skip; /**< a missed run is left out */
};

struct window {
	struct window_entry *entries;
	struct window_entry *free;
	struct timer_heap heap;
	int64_t until_ms;
	int64_t loaded_ms; /**< when it was last filled */
	bool is_stale;     /**< the table changed, or it was never filled */
};

/** 0 or -ENOMEM. */
int window_init(struct window *window) must_check;
void window_finish(struct window *window);

/** Forgets everything; it is then stale. */
void window_clear(struct window *window);

/** True when window_fill() is due. */
bool window_is_due(const struct window *window, int64_t now_ms);

/** Whether a schedule is left out because it is in hand. */
typedef bool window_exclude_fn(void *arg, const char *schedule_id);

/** Fills it anew from the store. On an error it is empty and stale. */
int window_fill(struct window *window, struct store *store, int64_t now_ms, window_exclude_fn *exclude, void *arg,
		struct error *err) must_check;

/** Puts a schedule that was in hand back, if its next run is within the window. */
void window_add(struct window *window, const char *schedule_id, int64_t due_ms, bool may_skip);

/** When the next one is due; INT64_MAX when none is in memory. */
int64_t window_next_ms(const struct window *window);

/** Takes the next one out if it is due; false: none is. */
bool window_take(struct window *window, int64_t now_ms, struct window_entry *out);

static inline size_t window_size(const struct window *window)
{
	return window->heap.count;
}

#endif
