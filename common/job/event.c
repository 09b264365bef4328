#include "job/event.h"

#include <string.h>

#include "job/task.h"

int event_encode(const struct event *event, struct buffer *out)
{
	struct writer w;

	writer_init(&w, ENCODING_JSON, out);
	writer_open_map(&w, NULL);
	writer_string_or_null(&w, "task_id", event->task_id);
	task_write_op(&w, event->has_op, event->op);
	writer_string_or_null(&w, "user_id", event->user_id);
	writer_string_or_null(&w, "reference", event->reference);
	writer_string_or_null(&w, "scene", event->scene);
	writer_string(&w, "state", task_state_name(event->state));
	writer_integer(&w, "attempt", event->attempt);
	writer_time_or_null(&w, "at", event->at_ms);
	writer_string_or_null(&w, "worker", event->worker);
	task_write_error(&w, &event->error);
	writer_time_or_null(&w, "next_attempt_at", event->next_attempt_at_ms);
	writer_close(&w);
	return writer_finish(&w);
}

static void read_event(const struct value *root, struct event *event)
{
	struct value state = value_field(root, "state");
	struct value at = value_field(root, "at");
	struct value worker = value_field(root, "worker");
	struct value next_attempt_at = value_field(root, "next_attempt_at");

	task_read_identity(root, &(struct task_identity){
				     .task_id = event->task_id,
				     .has_op = &event->has_op,
				     .op = &event->op,
				     .user_id = event->user_id,
				     .reference = event->reference,
				     .scene = event->scene,
				 });
	task_read_state(root, &event->state);
	if (event->state == TASK_SUCCEEDED || event->state == TASK_FINAL_FAILED)
		value_refuse(&state, "is the last state of a task, which is a reply");
	task_read_attempt(root, &event->attempt);
	value_read_time(&at, &event->at_ms);
	value_read_text(&worker, event->worker, sizeof(event->worker));
	task_read_error(root, &event->error);
	value_read_time(&next_attempt_at, &event->next_attempt_at_ms);
}

int event_decode(struct event *event, const uint8_t *body, size_t size, struct error *err)
{
	struct document doc;
	struct event decoded;
	int r = document_open(&doc, ENCODING_JSON, body, size, err);

	if (r < 0)
		return r;
	struct value root = value_root(&doc);
	memset(&decoded, 0, sizeof(decoded));
	read_event(&root, &decoded);
	r = doc.result;
	document_close(&doc);
	if (r == 0)
		*event = decoded;
	return r;
}

void event_routing_key(const struct event *event, char out[ENVELOPE_SHORT_SIZE])
{
	task_routing_key(event->scene, event->state, "quiet", out);
}
