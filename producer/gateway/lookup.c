#include "lookup.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gateway_private.h"
#include "store_access.h"
#include "view.h"

static int out_of_memory(int r, struct error *err)
{
	return r == 0 ? 0 : error_set(err, ERROR_INTERNAL, "out of memory");
}

/* A comma ahead of every element of an array but the first. */
static int separate(struct buffer *array)
{
	return array->size > 1 ? buffer_append(array, ",", 1) : 0;
}

static int add_transition(void *arg, const struct task_transition *transition, struct error *err)
{
	struct buffer *history = arg;
	int r = separate(history);

	return out_of_memory(r == 0 ? view_transition(transition, history) : r, err);
}

static int add_delivery(void *arg, const struct delivery_report *report, struct error *err)
{
	struct buffer *deliveries = arg;
	int r = separate(deliveries);

	return out_of_memory(r == 0 ? view_delivery(report, deliveries) : r, err);
}

static int show_row(void *arg, const struct task_row *row, struct error *err)
{
	struct lookup *lookup = arg;
	const char *owner = row->now.owner ? row->now.owner : "";

	lookup->visible = visitor_sees(lookup->visitor, owner);
	if (!lookup->visible)
		return 0;
	lookup->state = row->now.state;
	lookup->attempt = row->now.attempt;
	lookup->cancelled = row->now.error_code && strcmp(row->now.error_code, "cancelled") == 0;
	snprintf(lookup->owner, sizeof(lookup->owner), "%s", owner);
	if (lookup->as_event)
		return out_of_memory(view_event(row, lookup->out), err);
	return out_of_memory(view_task(row, &lookup->history, &lookup->deliveries, lookup->out), err);
}

/* What a task went through, as the texts of two arrays. */
static int read_past(struct store *store, const char *task_id, struct lookup *lookup, struct error *err)
{
	int r = out_of_memory(buffer_append(&lookup->history, "[", 1), err);

	if (r == 0)
		r = tasks_history(store, task_id, add_transition, &lookup->history, err);
	if (r == 0)
		r = out_of_memory(buffer_append(&lookup->history, "]", 1), err);
	if (r == 0)
		r = out_of_memory(buffer_append(&lookup->deliveries, "[", 1), err);
	if (r == 0)
		r = tasks_deliveries(store, task_id, add_delivery, &lookup->deliveries, err);
	return r == 0 ? out_of_memory(buffer_append(&lookup->deliveries, "]", 1), err) : r;
}

static int read_task(struct gateway *gateway, struct store **store, const char *task_id, struct lookup *lookup,
		     struct error *err)
{
	bool found;
	int r = store_access_open(gateway, store, err);

	/* The log first: it may be longer than what the row says, never shorter. */
	if (r == 0 && !lookup->as_event)
		r = read_past(*store, task_id, lookup, err);
	if (r == 0)
		r = tasks_find(*store, task_id, show_row, lookup, &found, err);
	buffer_finish(&lookup->history);
	buffer_finish(&lookup->deliveries);
	return r;
}

/* What memory knows of a task that the store does not have yet, or, not `asked`, may have. */
static int read_recent(struct gateway *gateway, const char *task_id, bool asked, struct lookup *lookup,
		       struct error *err)
{
	cleanup_with(buffer_finish) struct buffer reply = {0};
	struct recent_task task;
	struct task_row row;

	if (!recent_find(gateway->recent, task_id, &task, &reply) || !visitor_sees(lookup->visitor, task.owner))
		return 0;
	/* It was there, and was removed: with the person it is about, perhaps. */
	if (asked && recent_is_stale(&task, clock_unix_ms()))
		return 0;
	lookup->visible = true;
	lookup->state = task.state;
	lookup->attempt = task.attempt;
	snprintf(lookup->owner, sizeof(lookup->owner), "%s", task.owner);
	view_row_of(&task, &reply, &row);
	return out_of_memory(lookup->as_event ? view_event(&row, lookup->out) : view_recent(&row, lookup->out), err);
}

/* What waits for its time. */
static int read_scheduled(struct store *store, const char *task_id, struct lookup *lookup, struct error *err)
{
	static const struct buffer none = {0};
	struct later_task *planned = &lookup->planned;
	struct task_row row;
	bool found;
	int r = later_find(store, task_id, planned, &found, err);

	if (r < 0 || !found || !visitor_sees(lookup->visitor, planned->task.owner))
		return r;
	lookup->visible = true;
	lookup->scheduled = true;
	lookup->state = planned->task.state;
	lookup->attempt = planned->task.attempt;
	snprintf(lookup->owner, sizeof(lookup->owner), "%s", planned->task.owner);
	view_row_of(&planned->task, &none, &row);
	row.now.next_attempt_at_ms = planned->due_ms;
	return lookup->as_event ? 0 : out_of_memory(view_scheduled(&row, lookup->out), err);
}

int lookup_task(struct gateway *gateway, struct store **store, const char *task_id, struct lookup *lookup,
		struct error *err)
{
	struct error ignored;

	lookup->visible = false;
	lookup->scheduled = false;
	lookup->cancelled = false;
	int r = read_task(gateway, store, task_id, lookup, err);
	if (r == 0 && !lookup->visible)
		r = read_scheduled(*store, task_id, lookup, err);
	if (r == 0 && lookup->visible)
		return 0;
	/* Half an answer is none. */
	lookup->visible = false;
	buffer_clear(lookup->out);
	/* Accepted moments ago: its existence does not depend on a store that is away. */
	int known = read_recent(gateway, task_id, r == 0, lookup, r == 0 ? err : &ignored);
	if (r != 0 && known == 0 && lookup->visible)
		return 0;
	return r != 0 ? r : known;
}
