#include "job/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"

enum kind {
	KIND_ABSENT,
	KIND_BOOL,
	KIND_INTEGER,
	KIND_NUMBER,
	KIND_STRING,
	KIND_BYTES,
	KIND_ARRAY,
	KIND_MAP,
	KIND_OTHER
};

static const char *const kind_names[] = {
    [KIND_ABSENT] = "nothing",  [KIND_BOOL] = "a boolean",  [KIND_INTEGER] = "a whole number",
    [KIND_NUMBER] = "a number", [KIND_STRING] = "a string", [KIND_BYTES] = "bytes",
    [KIND_ARRAY] = "an array",  [KIND_MAP] = "a map",       [KIND_OTHER] = "an unknown type",
};

/* A node taken out of its library's hands. */
struct content {
	enum kind kind;
	bool boolean;
	int64_t integer;
	double number; /* also set for KIND_INTEGER */
	const char *text;
	size_t length; /* bytes of text, or elements */
};

static struct content json_content(const json_t *node)
{
	switch (json_typeof(node)) {
	case JSON_TRUE:
	case JSON_FALSE:
		return (struct content){.kind = KIND_BOOL, .boolean = json_is_true(node)};
	case JSON_INTEGER:
		return (struct content){
		    .kind = KIND_INTEGER,
		    .integer = json_integer_value(node),
		    .number = (double)json_integer_value(node),
		};
	case JSON_REAL:
		return (struct content){.kind = KIND_NUMBER, .number = json_real_value(node)};
	case JSON_STRING:
		return (struct content){
		    .kind = KIND_STRING,
		    .text = json_string_value(node),
		    .length = json_string_length(node),
		};
	case JSON_ARRAY:
		return (struct content){.kind = KIND_ARRAY, .length = json_array_size(node)};
	case JSON_OBJECT:
		return (struct content){.kind = KIND_MAP, .length = json_object_size(node)};
	case JSON_NULL:
		break;
	}
	return (struct content){.kind = KIND_ABSENT};
}

static struct content msgpack_content(const msgpack_object *node)
{
	switch (node->type) {
	case MSGPACK_OBJECT_NIL:
		return (struct content){.kind = KIND_ABSENT};
	case MSGPACK_OBJECT_BOOLEAN:
		return (struct content){.kind = KIND_BOOL, .boolean = node->via.boolean};
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		if (node->via.u64 > INT64_MAX)
			return (struct content){.kind = KIND_NUMBER, .number = (double)node->via.u64};
		return (struct content){
		    .kind = KIND_INTEGER,
		    .integer = (int64_t)node->via.u64,
		    .number = (double)node->via.u64,
		};
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return (struct content){
		    .kind = KIND_INTEGER,
		    .integer = node->via.i64,
		    .number = (double)node->via.i64,
		};
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return (struct content){.kind = KIND_NUMBER, .number = node->via.f64};
	case MSGPACK_OBJECT_STR:
		return (struct content){.kind = KIND_STRING, .text = node->via.str.ptr, .length = node->via.str.size};
	case MSGPACK_OBJECT_BIN:
		return (struct content){.kind = KIND_BYTES, .text = node->via.bin.ptr, .length = node->via.bin.size};
	case MSGPACK_OBJECT_ARRAY:
		return (struct content){.kind = KIND_ARRAY, .length = node->via.array.size};
	case MSGPACK_OBJECT_MAP:
		return (struct content){.kind = KIND_MAP, .length = node->via.map.size};
	default:
		return (struct content){.kind = KIND_OTHER};
	}
}

static struct content content_of(const struct value *v)
{
	if (!v->node)
		return (struct content){.kind = KIND_ABSENT};
	return v->doc->encoding == ENCODING_JSON ? json_content(v->node) : msgpack_content(v->node);
}

struct value value_root(struct document *doc)
{
	const void *node = doc->encoding == ENCODING_JSON ? (const void *)doc->json : (const void *)&doc->msgpack.data;

	return (struct value){.doc = doc, .node = node};
}

static const void *msgpack_field(const msgpack_object *map, const char *name)
{
	size_t length = strlen(name);

	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object_kv *kv = &map->via.map.ptr[i];
		if (kv->key.via.str.size == length && memcmp(kv->key.via.str.ptr, name, length) == 0)
			return &kv->val;
	}
	return NULL;
}

struct value value_field(const struct value *map, const char *name)
{
	struct value field = {.doc = map->doc, .parent = map, .name = name};

	if (content_of(map).kind != KIND_MAP)
		return field;
	if (map->doc->encoding == ENCODING_JSON)
		field.node = json_object_get(map->node, name);
	else
		field.node = msgpack_field(map->node, name);
	return field;
}

struct value value_element(const struct value *array, size_t index)
{
	struct value element = {.doc = array->doc, .parent = array, .index = index};

	if (array->doc->encoding == ENCODING_JSON)
		element.node = json_array_get(array->node, index);
	else
		element.node = &((const msgpack_object *)array->node)->via.array.ptr[index];
	return element;
}

bool value_is_present(const struct value *v)
{
	return content_of(v).kind != KIND_ABSENT;
}

/* Writes "result.candidates[3].user_id" and returns its length; names are our own, so it fits. */
static size_t write_path(const struct value *v, char *out, size_t size)
{
	if (!v->parent) {
		out[0] = '\0';
		return 0;
	}
	size_t used = write_path(v->parent, out, size);
	int more;
	if (v->name)
		more = snprintf(out + used, size - used, "%s%s", used > 0 ? "." : "", v->name);
	else
		more = snprintf(out + used, size - used, "[%zu]", v->index);
	used += (size_t)more;
	return used < size ? used : size - 1;
}

void value_refuse(const struct value *v, const char *fmt, ...)
{
	char path[128];
	char text[256];
	va_list args;

	if (v->doc->result < 0)
		return;
	write_path(v, path, sizeof(path));
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	v->doc->result = error_set(v->doc->err, ERROR_INVALID_JOB, "%s: %s", path, text);
}

void value_out_of_memory(const struct value *v)
{
	if (v->doc->result == 0)
		v->doc->result = error_set(v->doc->err, ERROR_INTERNAL, "body: out of memory");
}

bool value_require(const struct value *v)
{
	bool present = value_is_present(v);

	if (!present)
		value_refuse(v, "is missing");
	return present;
}

/* Takes the content if it is of the kind; absent is no refusal. */
static bool take(const struct value *v, enum kind kind, struct content *out)
{
	*out = content_of(v);
	if (out->kind == kind)
		return true;
	if (out->kind != KIND_ABSENT)
		value_refuse(v, "%s was expected, found %s", kind_names[kind], kind_names[out->kind]);
	return false;
}

bool value_read_map(const struct value *v)
{
	struct content content;

	return take(v, KIND_MAP, &content);
}

bool value_read_array(const struct value *v, size_t min, size_t max, size_t *length)
{
	struct content content;

	if (!take(v, KIND_ARRAY, &content))
		return false;
	if (content.length < min || content.length > max) {
		value_refuse(v, "has %zu elements, %zu to %zu were expected", content.length, min, max);
		return false;
	}
	*length = content.length;
	return true;
}

bool value_read_bool(const struct value *v, bool *out)
{
	struct content content;

	if (!take(v, KIND_BOOL, &content))
		return false;
	*out = content.boolean;
	return true;
}

bool value_read_integer(const struct value *v, int64_t low, int64_t high, int64_t *out)
{
	struct content content;

	if (!take(v, KIND_INTEGER, &content))
		return false;
	if (content.integer < low || content.integer > high) {
		value_refuse(v, "%jd is not within %jd to %jd", (intmax_t)content.integer, (intmax_t)low,
			     (intmax_t)high);
		return false;
	}
	*out = content.integer;
	return true;
}

bool value_read_number(const struct value *v, double *out)
{
	struct content content = content_of(v);

	if (content.kind != KIND_INTEGER && !take(v, KIND_NUMBER, &content))
		return false;
	if (!isfinite(content.number)) {
		value_refuse(v, "is not a finite number");
		return false;
	}
	*out = content.number;
	return true;
}

static bool take_text(const struct value *v, struct content *out)
{
	if (!take(v, KIND_STRING, out))
		return false;
	if (memchr(out->text, '\0', out->length))
		value_refuse(v, "contains a NUL");
	else if (!utf8_is_valid(out->text, out->length))
		value_refuse(v, "is not valid UTF-8");
	else
		return true;
	return false;
}

bool value_read_string(const struct value *v, char *out, size_t size)
{
	struct content content;

	if (!take_text(v, &content))
		return false;
	if (content.length >= size) {
		value_refuse(v, "%zu bytes, at most %zu are allowed", content.length, size - 1);
		return false;
	}
	memcpy(out, content.text, content.length);
	out[content.length] = '\0';
	return true;
}

bool value_read_text(const struct value *v, char *out, size_t size)
{
	struct content content;
	size_t used = 0;

	if (!take_text(v, &content))
		return false;
	while (used < content.length) {
		size_t character = utf8_decode(content.text + used, content.length - used, NULL);
		if (used + character >= size)
			break;
		used += character;
	}
	memcpy(out, content.text, used);
	out[used] = '\0';
	return true;
}

/* Writes "a, b, c" as far as it fits. */
static void join_names(const char *const *names, size_t count, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", names[i]);
}

bool value_read_choice(const struct value *v, const char *const *names, size_t count, unsigned *out)
{
	struct content content;
	char list[160];

	if (!take(v, KIND_STRING, &content))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (strlen(names[i]) == content.length && memcmp(names[i], content.text, content.length) == 0) {
			*out = (unsigned)i;
			return true;
		}
	}
	join_names(names, count, list, sizeof(list));
	value_refuse(v, "is none of %s", list);
	return false;
}

bool value_read_time(const struct value *v, int64_t *unix_ms)
{
	char text[48];

	if (!value_read_string(v, text, sizeof(text)))
		return false;
	if (clock_parse_rfc3339(text, unix_ms) == 0)
		return true;
	value_refuse(v, "is not an RFC 3339 time");
	return false;
}

static bool decode_base64(const struct value *v, const struct content *content, const uint8_t **bytes, size_t *size,
			  uint8_t **owned)
{
	size_t where;
	uint8_t *out = malloc(base64_decoded_bound(content->length) + 1);

	if (!out) {
		value_out_of_memory(v);
		return false;
	}
	int64_t got = base64_decode(content->text, content->length, out, &where);
	if (got < 0) {
		free(out);
		value_refuse(v, "no base64 at character %zu (standard alphabet, padded)", where);
		return false;
	}
	*owned = out;
	*bytes = out;
	*size = (size_t)got;
	return true;
}

bool value_read_bytes(const struct value *v, const uint8_t **bytes, size_t *size, uint8_t **owned)
{
	struct content content;

	if (v->doc->encoding == ENCODING_JSON)
		return take(v, KIND_STRING, &content) && decode_base64(v, &content, bytes, size, owned);
	if (!take(v, KIND_BYTES, &content))
		return false;
	*bytes = (const uint8_t *)content.text;
	*size = content.length;
	*owned = NULL;
	return true;
}
