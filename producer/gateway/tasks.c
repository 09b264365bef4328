/* What the store knows of tasks, on the threads of the reading pool. */

#include <errno.h>
#include <string.h>

#include "amqp/control_message.h"
#include "base/clock.h"
#include "cursor.h"
#include "gateway_private.h"
#include "lookup.h"
#include "obs/log.h"
#include "problems.h"
#include "store/cancellation.h"
#include "store/schedules.h"
#include "store_access.h"
#include "view.h"

#define STREAM_PENDING_BYTES (256u << 10)

void tasks_refuse_unknown(struct visit *visit)
{
	visit_refuse_as(visit, &problem_task_not_found, "it is not known here, or was finished long ago", 0);
}

static void answer_json(struct visit *visit, struct buffer *body)
{
	http_call_answer(visit->call, 200, "application/json", body, NULL);
	visit_free(visit);
}

static int out_of_memory(int r, struct error *err)
{
	return r == 0 ? 0 : error_set(err, ERROR_INTERNAL, "out of memory");
}

/* --- one task ---------------------------------------------------------------------------------------- */

void tasks_handle_one(struct gateway *gateway, struct visit *visit, struct store **store)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct lookup lookup = {.visitor = &visit->visitor, .out = &body};
	struct error err;

	if (lookup_task(gateway, store, visit->task_id, &lookup, &err) < 0)
		store_access_refuse(gateway, visit, &err);
	else if (!lookup.visible)
		tasks_refuse_unknown(visit);
	else
		answer_json(visit, &body);
}

/* --- cancelling ---------------------------------------------------------------------------------------- */

/* Who would find out by themselves that it does not count. */
static void tell_workers(struct gateway *gateway, const char *task_id)
{
	struct control control = {.kind = CONTROL_TASK_CANCELLED};

	memcpy(control.task_id, task_id, UUID_SIZE);
	struct amqp_message *message = control_message_new(&control);
	if (!message || amqp_link_publish(gateway->publishing, message, NULL, NULL) != 0)
		log_warning(NULL, "the workers were not told of a cancellation", log_string("task_id", task_id));
}

/* Who waits here, and who listens here. */
static void tell_clients(struct gateway *gateway, const char *task_id, const struct lookup *ended)
{
	const struct buffer *json = ended->out;

	recent_update(gateway->recent, task_id, ended->state, ended->attempt, clock_unix_ms(), json);
	hub_publish(gateway->hub, &(struct hub_event){
				      .task_id = task_id,
				      .owner = ended->owner,
				      .state = ended->state,
				      .attempt = ended->attempt,
				      .json = (const char *)json->data,
				      .size = json->size,
				  });
	desk_reply(gateway->desk, task_id, (const char *)json->data, json->size);
}

/* Records it, with what is known here of a task that the store may not know yet. */
static int record_cancelled(struct gateway *gateway, struct store **store, const struct lookup *lookup,
			    const char *task_id, struct cancellation *cancellation, struct error *err)
{
	cleanup_with(buffer_finish) struct buffer reply = {0};
	struct recent_task task;
	struct task_row row;
	int r = store_access_open(gateway, store, err);

	if (r < 0)
		return r;
	bool found = false;
	/* Before it is recorded: what was published all the same is told to the workers. */
	if (lookup->scheduled && (r = schedules_remove(*store, task_id, &found, err)) < 0)
		return r;
	bool known = recent_find(gateway->recent, task_id, &task, &reply);
	if (!known && lookup->scheduled) {
		task = lookup->planned.task;
		known = true;
	}
	/* Its reply was heard here, and stands in the store as soon as the tracker has read it. */
	if (known && (task.state == TASK_SUCCEEDED || task.state == TASK_FINAL_FAILED)) {
		*cancellation = (struct cancellation){.known = true, .stood = task.state};
		return 0;
	}
	if (known)
		view_row_of(&task, &reply, &row);
	return cancellation_record(*store, task_id, known ? &row.now : NULL, cancellation, err);
}

void tasks_handle_cancel(struct gateway *gateway, struct visit *visit, struct store **store)
{
	cleanup_with(buffer_finish) struct buffer json = {0};
	struct lookup lookup = {.visitor = &visit->visitor, .as_event = true, .out = &json};
	struct cancellation cancellation;
	struct error err;
	int r = lookup_task(gateway, store, visit->task_id, &lookup, &err);

	if (r == 0 && !lookup.visible) {
		tasks_refuse_unknown(visit);
		return;
	}
	if (r == 0 && !visitor_decides(&visit->visitor, lookup.owner)) {
		visit_refuse_as(visit, &problem_forbidden, "it is somebody else's task", 0);
		return;
	}
	if (r == 0)
		r = record_cancelled(gateway, store, &lookup, visit->task_id, &cancellation, &err);
	buffer_clear(&json);
	if (r == 0 && cancellation.accepted)
		tell_workers(gateway, visit->task_id);
	if (r == 0)
		r = lookup_task(gateway, store, visit->task_id, &lookup, &err);
	/* Again, when it is asked again: the store may have failed just here the first time. */
	if (r == 0 && lookup.visible && (cancellation.accepted || lookup.cancelled))
		tell_clients(gateway, visit->task_id, &lookup);
	if (r < 0)
		store_access_refuse(gateway, visit, &err);
	else if (!cancellation.accepted && !lookup.cancelled)
		visit_refuse_as(visit, &problem_task_finished, "it stays as it is", 0);
	else
		tasks_handle_one(gateway, visit, store);
}

/* --- lists --------------------------------------------------------------------------------------------- */

struct page {
	const struct visitor *visitor;
	unsigned count;
	struct buffer *out;
};

static int add_row(void *arg, const struct task_row *row, struct error *err)
{
	struct page *page = arg;

	/* The store knows no condition for tasks without an owner: a page may be short, its cursor is right. */
	if (!visitor_sees(page->visitor, row->now.owner ? row->now.owner : ""))
		return 0;
	int r = page->count++ > 0 ? buffer_append(page->out, ",", 1) : 0;

	return out_of_memory(r == 0 ? view_summary(row, page->out) : r, err);
}

static int read_page(struct gateway *gateway, struct visit *visit, struct store **store, struct page *page,
		     struct error *err)
{
	struct visit_list *list = &visit->list;
	const struct tasks_filter filter = {
	    .has_state = list->has_state,
	    .state = list->state,
	    .scene = list->scene,
	    .owner = visit->visitor.sees_all ? "" : visit->visitor.owner,
	    .user_id = list->user_id,
	    .since_ms = list->since_ms,
	};
	int r = store_access_open(gateway, store, err);

	return r == 0 ? tasks_list(*store, &filter, &list->cursor, list->limit, add_row, page, err) : r;
}

void tasks_handle_list(struct gateway *gateway, struct visit *visit, struct store **store)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct page page = {.visitor = &visit->visitor, .out = &body};
	char cursor[CURSOR_SIZE];
	struct error err;
	int r = out_of_memory(buffer_printf(&body, "{\"tasks\":["), &err);

	if (r == 0)
		r = read_page(gateway, visit, store, &page, &err);
	cursor_print(&visit->list.cursor, cursor);
	if (r >= 0)
		r = out_of_memory((unsigned)r == visit->list.limit ? buffer_printf(&body, "],\"next\":\"%s\"}", cursor)
								   : buffer_printf(&body, "],\"next\":null}"),
				  &err);
	if (r < 0)
		store_access_refuse(gateway, visit, &err);
	else
		answer_json(visit, &body);
}

/* --- streams -------------------------------------------------------------------------------------------- */

static uint64_t open_stream(struct gateway *gateway, struct visit *visit)
{
	struct http_stream *stream = http_call_stream(visit->call, "text/event-stream", STREAM_PENDING_BYTES);

	return hub_add(gateway->hub, stream, &visit->visitor, visit->task_id);
}

/* How things stand when the stream begins: read after it began, so that nothing falls between. */
static void show_state(struct gateway *gateway, struct visit *visit, struct store **store, uint64_t number)
{
	cleanup_with(buffer_finish) struct buffer json = {0};
	struct lookup lookup = {.visitor = &visit->visitor, .as_event = true, .out = &json};
	struct error err;

	/* Its end may have come in between: who cannot be told ends, and asks again. */
	if (lookup_task(gateway, store, visit->task_id, &lookup, &err) < 0 || !lookup.visible) {
		hub_end(gateway->hub, number);
		return;
	}
	if (lookup.scheduled)
		return;
	hub_show(gateway->hub, number,
		 &(struct hub_event){
		     .task_id = visit->task_id,
		     .owner = lookup.owner,
		     .state = lookup.state,
		     .attempt = lookup.attempt,
		     .json = (const char *)json.data,
		     .size = json.size,
		 });
}

static void stream_task(struct gateway *gateway, struct visit *visit, struct store **store)
{
	cleanup_with(buffer_finish) struct buffer json = {0};
	struct lookup lookup = {.visitor = &visit->visitor, .as_event = true, .out = &json};
	struct error err;

	if (lookup_task(gateway, store, visit->task_id, &lookup, &err) < 0) {
		hub_give_back(gateway->hub);
		store_access_refuse(gateway, visit, &err);
	} else if (!lookup.visible) {
		hub_give_back(gateway->hub);
		tasks_refuse_unknown(visit);
	} else {
		show_state(gateway, visit, store, open_stream(gateway, visit));
		visit_free(visit);
	}
}

void tasks_handle_events(struct gateway *gateway, struct visit *visit, struct store **store)
{
	if (!hub_reserve(gateway->hub)) {
		visit_refuse_as(visit, &problem_too_many_streams, "try again later, or ask for the task", 5);
	} else if (visit->task_id[0] != '\0') {
		stream_task(gateway, visit, store);
	} else {
		open_stream(gateway, visit);
		visit_free(visit);
	}
}
