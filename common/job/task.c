#include "job/task.h"

#include <stdio.h>
#include <string.h>

#include "job/names.h"

static const char *const image_names[] = {"a", "b"};

/* Programs have errors of their own, which mean nothing to whoever reads a reply. */
static enum error_code code_on_wire(enum error_code code)
{
	return code > ERROR_STORE_UNAVAILABLE ? ERROR_INTERNAL : code;
}

void task_read_id(const struct value *v, char out[UUID_SIZE])
{
	if (value_read_string(v, out, UUID_SIZE) && !uuid_is_valid(out))
		value_refuse(v, "is not a UUID in lower case");
}

void task_read_identity(const struct value *root, const struct task_identity *identity)
{
	struct value task_id = value_field(root, "task_id");
	struct value op = value_field(root, "op");
	struct value user_id = value_field(root, "user_id");
	struct value reference = value_field(root, "reference");
	struct value scene = value_field(root, "scene");
	unsigned index;

	task_read_id(&task_id, identity->task_id);
	if (value_read_choice(&op, names_ops, array_size(names_ops), &index)) {
		*identity->op = (enum job_op)index;
		*identity->has_op = true;
	}
	value_read_string(&user_id, identity->user_id, JOB_MAX_USER_BYTES + 1);
	value_read_string(&reference, identity->reference, JOB_MAX_REFERENCE_BYTES + 1);
	if (value_read_string(&scene, identity->scene, JOB_MAX_SCENE_BYTES + 1) && !job_scene_is_valid(identity->scene))
		value_refuse(&scene, "is not the name of a scene");
}

void task_write_op(struct writer *w, bool has_op, enum job_op op)
{
	writer_string_or_null(w, "op", has_op ? job_op_name(op) : "");
}

void task_read_state(const struct value *root, enum task_state *state)
{
	struct value v = value_field(root, "state");
	unsigned index;

	if (value_require(&v) && value_read_choice(&v, names_states, array_size(names_states), &index))
		*state = (enum task_state)index;
}

void task_read_attempt(const struct value *root, int *attempt)
{
	struct value v = value_field(root, "attempt");
	int64_t number;

	if (value_read_integer(&v, 0, INT32_MAX, &number))
		*attempt = (int)number;
}

void task_write_error(struct writer *w, const struct error *error)
{
	char image[2] = {error->image, '\0'};

	if (!error_is_set(error)) {
		writer_null(w, "error");
		return;
	}
	writer_open_map(w, "error");
	writer_string(w, "code", error_code_name(code_on_wire(error->code)));
	writer_string(w, "message", error->text);
	writer_bool(w, "retryable", error->class == ERROR_CLASS_RETRY);
	writer_string_or_null(w, "image", image);
	writer_open_map(w, "details");
	if (error->measure[0] != '\0') {
		writer_string(w, "measure", error->measure);
		writer_number(w, "value", error->value);
		writer_number(w, "limit", error->limit);
	}
	writer_close(w);
	writer_close(w);
}

static void read_details(const struct value *map, struct error *error)
{
	struct value details = value_field(map, "details");
	struct value measure = value_field(&details, "measure");
	struct value number = value_field(&details, "value");
	struct value limit = value_field(&details, "limit");

	if (!value_read_map(&details))
		return;
	value_read_text(&measure, error->measure, sizeof(error->measure));
	value_read_number(&number, &error->value);
	value_read_number(&limit, &error->limit);
}

void task_read_error(const struct value *root, struct error *error)
{
	struct value map = value_field(root, "error");
	struct value code = value_field(&map, "code");
	struct value message = value_field(&map, "message");
	struct value retryable = value_field(&map, "retryable");
	struct value image = value_field(&map, "image");
	char name[64];
	bool retry = false;
	unsigned index;

	if (!value_read_map(&map))
		return;
	if (value_require(&code) && value_read_string(&code, name, sizeof(name)))
		error->code = code_on_wire(error_code_from_name(name));
	value_read_text(&message, error->text, sizeof(error->text));
	if (value_require(&retryable))
		value_read_bool(&retryable, &retry);
	error->class = retry ? ERROR_CLASS_RETRY : ERROR_CLASS_REJECT;
	if (value_read_choice(&image, image_names, array_size(image_names), &index))
		error->image = image_names[index][0];
	read_details(&map, error);
}

void task_routing_key(const char *scene, enum task_state state, const char *listener, char out[ENVELOPE_SHORT_SIZE])
{
	snprintf(out, ENVELOPE_SHORT_SIZE, "task.%s.%s.%s", scene[0] != '\0' ? scene : "unknown",
		 task_state_name(state), listener);
}
