#include "view.h"

#include <stdio.h>
#include <string.h>

#include "job/delivery_report.h"
#include "job/event.h"
#include "job/writer.h"

static const char *text_of(const char *text)
{
	return text ? text : "";
}

static void write_error(struct writer *w, const char *code, const char *text)
{
	if (text_of(code)[0] == '\0') {
		writer_null(w, "error");
		return;
	}
	writer_open_map(w, "error");
	writer_string(w, "code", code);
	writer_string(w, "message", text_of(text));
	writer_close(w);
}

static void write_task(struct writer *w, const struct task_row *row, const char *state)
{
	const struct task_change *now = &row->now;

	writer_string(w, "task_id", now->task_id);
	writer_string_or_null(w, "op", text_of(now->op));
	writer_string_or_null(w, "scene", text_of(now->scene));
	writer_string_or_null(w, "user_id", text_of(now->user_id));
	writer_string_or_null(w, "collection", text_of(now->collection));
	writer_string_or_null(w, "reference", text_of(now->reference));
	writer_string(w, "state", state);
	writer_integer(w, "attempt", now->attempt);
	writer_time_or_null(w, "accepted_at", now->accepted_at_ms);
	writer_time_or_null(w, "deadline", now->deadline_ms);
	writer_time_or_null(w, "updated_at", row->updated_at_ms);
	writer_time_or_null(w, "finished_at", row->finished_at_ms);
	writer_time_or_null(w, "next_attempt_at", now->next_attempt_at_ms);
	writer_string_or_null(w, "worker", text_of(now->worker));
	write_error(w, now->error_code, now->error_text);
}

static int write_summary(const struct task_row *row, const char *state, struct buffer *out)
{
	struct writer w;

	writer_init(&w, ENCODING_JSON, out);
	writer_open_map(&w, NULL);
	write_task(&w, row, state);
	writer_close(&w);
	return writer_finish(&w);
}

int view_summary(const struct task_row *row, struct buffer *out)
{
	return write_summary(row, task_state_name(row->now.state), out);
}

/* Adds a field whose value is JSON already to the map that ends `out`. */
static int add_raw(struct buffer *out, const char *name, const void *json, size_t size)
{
	out->size--; /* the brace */
	int r = buffer_printf(out, ",\"%s\":", name);

	if (r == 0)
		r = buffer_append(out, size > 0 ? json : "null", size > 0 ? size : 4);
	return r == 0 ? buffer_append(out, "}", 1) : r;
}

int view_task(const struct task_row *row, const struct buffer *history, const struct buffer *deliveries,
	      struct buffer *out)
{
	int r = view_summary(row, out);

	if (r == 0)
		r = add_raw(out, "history", history->data, history->size);
	if (r == 0)
		r = add_raw(out, "deliveries", deliveries->data, deliveries->size);
	return r == 0 ? add_raw(out, "reply", row->now.reply, row->now.reply ? row->now.reply_size : 0) : r;
}

int view_transition(const struct task_transition *t, struct buffer *out)
{
	struct writer w;

	writer_init(&w, ENCODING_JSON, out);
	writer_open_map(&w, NULL);
	writer_string(&w, "state", task_state_name(t->state));
	writer_integer(&w, "attempt", t->attempt);
	writer_time_or_null(&w, "at", t->at_ms);
	writer_string_or_null(&w, "worker", text_of(t->worker));
	write_error(&w, t->error_code, t->error_text);
	writer_time_or_null(&w, "next_attempt_at", t->next_attempt_at_ms);
	writer_close(&w);
	return writer_finish(&w);
}

int view_delivery(const struct delivery_report *report, struct buffer *out)
{
	struct writer w;

	writer_init(&w, ENCODING_JSON, out);
	writer_open_map(&w, NULL);
	delivery_report_write(&w, report);
	writer_close(&w);
	return writer_finish(&w);
}

void view_row_of(const struct recent_task *task, const struct buffer *reply, struct task_row *row)
{
	bool finished = task->state == TASK_SUCCEEDED || task->state == TASK_FINAL_FAILED;

	*row = (struct task_row){
	    .now =
		{
		    .task_id = task->task_id,
		    .state = task->state,
		    .attempt = task->attempt,
		    .at_ms = task->updated_at_ms,
		    .op = job_op_name(task->op),
		    .scene = task->scene,
		    .user_id = task->user_id,
		    .collection = task->collection,
		    .reference = task->reference,
		    .owner = task->owner,
		    .reply = finished ? reply->data : NULL,
		    .reply_size = reply->size,
		    .accepted_at_ms = task->accepted_at_ms,
		    .deadline_ms = task->deadline_ms,
		},
	    .updated_at_ms = task->updated_at_ms,
	    .finished_at_ms = finished ? task->updated_at_ms : 0,
	};
}

int view_recent(const struct task_row *row, struct buffer *out)
{
	static const struct buffer none = {.data = (uint8_t *)"[]", .size = 2};

	return view_task(row, &none, &none, out);
}

int view_scheduled(const struct task_row *row, struct buffer *out)
{
	int r = write_summary(row, "scheduled", out);

	if (r == 0)
		r = add_raw(out, "history", "[]", 2);
	if (r == 0)
		r = add_raw(out, "deliveries", "[]", 2);
	return r == 0 ? add_raw(out, "reply", NULL, 0) : r;
}

int view_event(const struct task_row *row, struct buffer *out)
{
	const struct task_change *now = &row->now;
	struct event event = {.state = now->state, .attempt = now->attempt, .at_ms = now->at_ms};

	/* The reply is what is said of a task that has ended. */
	if (now->reply)
		return buffer_append(out, now->reply, now->reply_size);
	snprintf(event.task_id, sizeof(event.task_id), "%s", now->task_id);
	event.has_op = job_op_from_name(text_of(now->op), &event.op) == 0;
	snprintf(event.user_id, sizeof(event.user_id), "%s", text_of(now->user_id));
	snprintf(event.reference, sizeof(event.reference), "%s", text_of(now->reference));
	snprintf(event.scene, sizeof(event.scene), "%s", text_of(now->scene));
	snprintf(event.worker, sizeof(event.worker), "%s", text_of(now->worker));
	event.next_attempt_at_ms = now->next_attempt_at_ms;
	if (text_of(now->error_code)[0] != '\0')
		error_set(&event.error, error_code_from_name(now->error_code), "%s", text_of(now->error_text));
	return event_encode(&event, out);
}
