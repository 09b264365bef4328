#include "job/control.h"

#include <string.h>

#include "job/document.h"
#include "job/task.h"

static const char *const kinds[] = {
    [CONTROL_OTHER] = "other",
    [CONTROL_PEOPLE_CHANGED] = "people_changed",
    [CONTROL_PHOTOS_FORGET] = "photos_forget",
    [CONTROL_TASK_CANCELLED] = "task_cancelled",
    [CONTROL_ROLL_CALL] = "roll_call",
    [CONTROL_PERSON_ERASED] = "person_erased",
    [CONTROL_SETTINGS] = "settings",
    [CONTROL_HEARTBEAT] = "heartbeat",
};

static bool has_version(const struct control *control)
{
	return control->kind == CONTROL_PEOPLE_CHANGED || control->kind == CONTROL_SETTINGS;
}

/* --- out --- */

static void write_heartbeat(struct writer *w, const struct heartbeat *h)
{
	writer_string(w, "worker", h->worker);
	writer_string_or_null(w, "host", h->host);
	writer_integer(w, "pid", h->pid);
	writer_string_or_null(w, "program_version", h->version);
	writer_string_or_null(w, "model", h->model);
	writer_integer(w, "threads", h->threads);
	writer_integer(w, "in_hand", h->in_hand);
	writer_decimal(w, "rate", h->rate);
	writer_integer(w, "tasks", h->tasks);
	writer_integer(w, "rss_bytes", h->rss_bytes);
	writer_time_or_null(w, "started_at", h->started_at_ms);
	writer_time_or_null(w, "at", h->at_ms);
}

int control_encode(const struct control *control, struct buffer *out)
{
	struct writer w;

	writer_init(&w, ENCODING_JSON, out);
	writer_open_map(&w, NULL);
	writer_string(&w, "kind", kinds[control->kind]);
	if (has_version(control))
		writer_integer(&w, "version", (int64_t)control->version);
	if (control->kind == CONTROL_TASK_CANCELLED)
		writer_string(&w, "task_id", control->task_id);
	if (control->kind == CONTROL_PERSON_ERASED) {
		writer_string(&w, "user_id", control->user_id);
		writer_string_or_null(&w, "collection", control->collection);
	}
	if (control->kind == CONTROL_HEARTBEAT)
		write_heartbeat(&w, &control->heartbeat);
	writer_close(&w);
	return writer_finish(&w);
}

/* --- in --- */

static void read_text(const struct value *root, const char *name, char *out, size_t size)
{
	struct value v = value_field(root, name);

	value_read_text(&v, out, size);
}

static int64_t read_count(const struct value *root, const char *name, int64_t most)
{
	struct value v = value_field(root, name);
	int64_t number = 0;

	value_read_integer(&v, 0, most, &number);
	return number;
}

static int64_t read_time(const struct value *root, const char *name)
{
	struct value v = value_field(root, name);
	int64_t unix_ms = 0;

	value_read_time(&v, &unix_ms);
	return unix_ms;
}

static void read_heartbeat(const struct value *root, struct heartbeat *h)
{
	struct value worker = value_field(root, "worker");
	struct value rate = value_field(root, "rate");

	if (value_require(&worker))
		value_read_text(&worker, h->worker, sizeof(h->worker));
	read_text(root, "host", h->host, sizeof(h->host));
	read_text(root, "program_version", h->version, sizeof(h->version));
	read_text(root, "model", h->model, sizeof(h->model));
	h->pid = read_count(root, "pid", INT32_MAX);
	h->threads = (int)read_count(root, "threads", INT32_MAX);
	h->in_hand = (int)read_count(root, "in_hand", INT32_MAX);
	value_read_number(&rate, &h->rate);
	h->tasks = read_count(root, "tasks", INT64_MAX);
	h->rss_bytes = read_count(root, "rss_bytes", INT64_MAX);
	h->started_at_ms = read_time(root, "started_at");
	h->at_ms = read_time(root, "at");
}

static void read_control(const struct value *root, struct control *control)
{
	struct value kind = value_field(root, "kind");
	char name[64] = "";

	if (value_require(&kind))
		value_read_text(&kind, name, sizeof(name));
	for (size_t i = 0; i < array_size(kinds); i++) {
		if (strcmp(name, kinds[i]) == 0)
			control->kind = (enum control_kind)i;
	}
	if (has_version(control)) {
		struct value version = value_field(root, "version");
		int64_t number = 0;

		if (value_require(&version) && value_read_integer(&version, 0, INT64_MAX, &number))
			control->version = (uint64_t)number;
	}
	if (control->kind == CONTROL_TASK_CANCELLED) {
		struct value id = value_field(root, "task_id");

		if (value_require(&id))
			task_read_id(&id, control->task_id);
	}
	if (control->kind == CONTROL_PERSON_ERASED) {
		struct value user_id = value_field(root, "user_id");

		if (value_require(&user_id))
			value_read_text(&user_id, control->user_id, sizeof(control->user_id));
		read_text(root, "collection", control->collection, sizeof(control->collection));
	}
	if (control->kind == CONTROL_HEARTBEAT)
		read_heartbeat(root, &control->heartbeat);
}

int control_decode(struct control *control, const uint8_t *body, size_t size, struct error *err)
{
	struct control decoded = {.kind = CONTROL_OTHER};
	struct document doc;
	int r = document_open(&doc, ENCODING_JSON, body, size, err);

	if (r < 0)
		return r;
	struct value root = value_root(&doc);
	read_control(&root, &decoded);
	r = doc.result;
	document_close(&doc);
	if (r == 0)
		*control = decoded;
	return r;
}
