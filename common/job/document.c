#include "job/document.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "job/bounds.h"

/* Text of a JSON error without the piece of the body that jansson quotes. */
static int refuse_json(const json_error_t *error, struct error *err)
{
	if (json_error_code(error) == json_error_out_of_memory)
		return error_set(err, ERROR_INTERNAL, "body: out of memory");
	const char *quoted = strstr(error->text, " near '");
	int length = quoted ? (int)(quoted - error->text) : (int)strlen(error->text);
	return error_set(err, ERROR_INVALID_JOB, "body: no JSON at byte %d: %.*s", error->position, length,
			 error->text);
}

static int open_json(struct document *doc, const uint8_t *body, size_t size, struct error *err)
{
	json_error_t error;
	int r = bounds_check_json(body, size, err);

	if (r < 0)
		return r;
	/* NUL is let through here, so that the field that has one can be named (value.h). */
	doc->json = json_loadb((const char *)body, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!doc->json)
		return refuse_json(&error, err);
	if (json_is_object(doc->json))
		return 0;
	json_decref(doc->json);
	return error_set(err, ERROR_INVALID_JOB, "body: a map was expected");
}

static bool same_key(const msgpack_object_kv *a, const msgpack_object_kv *b)
{
	const msgpack_object_str *x = &a->key.via.str;
	const msgpack_object_str *y = &b->key.via.str;

	return x->size == y->size && memcmp(x->ptr, y->ptr, x->size) == 0;
}

static bool map_has_duplicates(const msgpack_object_map *map)
{
	for (uint32_t i = 1; i < map->size; i++)
		for (uint32_t k = 0; k < i; k++)
			if (same_key(&map->ptr[i], &map->ptr[k]))
				return true;
	return false;
}

/* Looks through a tree whose depth and map sizes are bounded already. */
static bool has_duplicates(const msgpack_object *object)
{
	if (object->type == MSGPACK_OBJECT_ARRAY) {
		for (uint32_t i = 0; i < object->via.array.size; i++)
			if (has_duplicates(&object->via.array.ptr[i]))
				return true;
	} else if (object->type == MSGPACK_OBJECT_MAP) {
		if (map_has_duplicates(&object->via.map))
			return true;
		for (uint32_t i = 0; i < object->via.map.size; i++)
			if (has_duplicates(&object->via.map.ptr[i].val))
				return true;
	}
	return false;
}

static int open_msgpack(struct document *doc, const uint8_t *body, size_t size, struct error *err)
{
	int r = bounds_check_msgpack(body, size, err);

	if (r < 0)
		return r;
	msgpack_unpacked_init(&doc->msgpack);
	switch (msgpack_unpack_next(&doc->msgpack, (const char *)body, size, NULL)) {
	case MSGPACK_UNPACK_SUCCESS:
		if (doc->msgpack.data.type != MSGPACK_OBJECT_MAP)
			r = error_set(err, ERROR_INVALID_JOB, "body: a map was expected");
		else if (has_duplicates(&doc->msgpack.data))
			r = error_set(err, ERROR_INVALID_JOB, "body: a map has the same key twice");
		break;
	case MSGPACK_UNPACK_NOMEM_ERROR:
		r = error_set(err, ERROR_INTERNAL, "body: out of memory");
		break;
	default:
		r = error_set(err, ERROR_INVALID_JOB, "body: no MessagePack");
		break;
	}
	if (r < 0)
		msgpack_unpacked_destroy(&doc->msgpack);
	return r;
}

int document_open(struct document *doc, enum encoding encoding, const uint8_t *body, size_t size, struct error *err)
{
	*doc = (struct document){.encoding = encoding, .err = err};
	if (size == 0)
		return error_set(err, ERROR_INVALID_JOB, "body: is empty");
	return encoding == ENCODING_JSON ? open_json(doc, body, size, err) : open_msgpack(doc, body, size, err);
}

void document_close(struct document *doc)
{
	if (doc->encoding == ENCODING_JSON)
		json_decref(doc->json);
	else
		msgpack_unpacked_destroy(&doc->msgpack);
}
