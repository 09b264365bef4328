#include "cli/people/export_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

/* What a line has beside base64: keys, and names whose every byte may be spelled \u0000. */
#define ROOM_OF_NAMES 4096
#define ROOM_OF_EMBEDDING 512

/* --- writing --- */

static json_t *base64(const void *bytes, size_t size)
{
	char *text = malloc(base64_encoded_size(size) + 1);
	json_t *string = NULL;

	if (text) {
		base64_encode(bytes, size, text);
		string = json_string(text);
	}
	free(text);
	return string;
}

static int write_line(struct export_writer *writer)
{
	json_t *line = writer->line;
	int r;

	if (!line)
		return 0;
	writer->line = NULL;
	errno = 0;
	r = json_dumpf(line, writer->out, JSON_COMPACT | JSON_PRESERVE_ORDER) < 0 || putc('\n', writer->out) == EOF
		? (errno ? -errno : -EIO)
		: 0;
	json_decref(line);
	return r;
}

int export_writer_begin(struct export_writer *writer)
{
	writer->line = json_pack("{s:i}", "facefleet_export", EXPORT_VERSION);
	return writer->line ? write_line(writer) : -ENOMEM;
}

static bool has(const json_t *line, const char *key, const char *value)
{
	return strcmp(json_string_value(json_object_get(line, key)), value) == 0;
}

static bool is_same(const json_t *line, const struct collection_image *image)
{
	return has(line, "image_id", image->image_id) && has(line, "user_id", image->user_id) &&
	       has(line, "collection", image->collection);
}

static int begin_line(struct export_writer *writer, const struct collection_image *image)
{
	json_t *crop = image->crop ? base64(image->crop, image->crop_size) : json_null();

	/* A NULL for "o" makes json_pack() fail and free the rest. */
	writer->line = json_pack("{s:s, s:s, s:s, s:I, s:o, s:[]}", "collection", image->collection, "user_id",
				 image->user_id, "image_id", image->image_id, "accepted_ms",
				 (json_int_t)image->accepted_ms, "crop", crop, "embeddings");
	writer->line_size = ROOM_OF_NAMES + base64_encoded_size(image->crop_size);
	return writer->line ? 0 : -ENOMEM;
}

static int add_embedding(struct export_writer *writer, const struct collection_image *image)
{
	json_t *vector = base64(image->embedding, (size_t)image->dimension * sizeof(float));
	json_t *embedding =
	    json_pack("{s:s, s:i, s:o}", "model_id", image->model_id, "dimension", image->dimension, "vector", vector);

	return json_array_append_new(json_object_get(writer->line, "embeddings"), embedding) < 0 ? -ENOMEM : 0;
}

int export_writer_add(struct export_writer *writer, const struct collection_image *image)
{
	size_t more =
	    image->embedding ? ROOM_OF_EMBEDDING + base64_encoded_size((size_t)image->dimension * sizeof(float)) : 0;
	bool same = writer->line && is_same(writer->line, image);
	int r = 0;

	if (!same || writer->line_size + more > EXPORT_LINE_MAX) {
		r = write_line(writer);
		if (r == 0)
			r = begin_line(writer, image);
	}
	writer->images += !same;
	writer->line_size += more;
	return r < 0 || !image->embedding ? r : add_embedding(writer, image);
}

int export_writer_end(struct export_writer *writer)
{
	int r = write_line(writer);

	return r == 0 && fflush(writer->out) != 0 ? -errno : r;
}

void export_writer_finish(struct export_writer *writer)
{
	json_decref(writer->line);
	writer->line = NULL;
}

/* --- reading --- */

static int refuse(struct error *err, const char *key, const char *problem)
{
	return error_set(err, ERROR_INVALID_JOB, "%s: %s", key, problem);
}

int export_line_check_header(const char *text, size_t length, struct error *err)
{
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	const json_t *version = json_object_get(object, "facefleet_export");
	json_int_t number = json_integer_value(version);
	int r = 0;

	if (!json_is_integer(version))
		r = error_set(err, ERROR_CONFIG, "the first line is no header of an export, {\"facefleet_export\": %d}",
			      EXPORT_VERSION);
	else if (number != EXPORT_VERSION)
		r = error_set(err, ERROR_CONFIG, "an export of version %lld; this program reads version %d",
			      (long long)number, EXPORT_VERSION);
	json_decref(object);
	return r;
}

static int read_text(const json_t *object, const char *key, const char **out, struct error *err)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_string(value))
		return refuse(err, key, "a string is expected");
	*out = json_string_value(value);
	return 0;
}

/* Base64 of at most `room` bytes. */
static int read_bytes(const json_t *value, const char *key, void *out, size_t room, size_t *size, struct error *err)
{
	size_t length = json_string_length(value);
	int64_t got;

	if (!json_is_string(value))
		return refuse(err, key, "base64 is expected");
	if (length > base64_encoded_size(room))
		return refuse(err, key, "too long");
	uint8_t *bytes = malloc(base64_decoded_bound(length) + 1);
	if (!bytes)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	got = base64_decode(json_string_value(value), length, bytes, NULL);
	if (got >= 0 && (size_t)got <= room) {
		memcpy(out, bytes, (size_t)got);
		*size = (size_t)got;
	}
	free(bytes);
	return got < 0 ? refuse(err, key, "not base64") : (size_t)got > room ? refuse(err, key, "too long") : 0;
}

static int read_crop(struct export_line *line, struct error *err)
{
	const json_t *crop = json_object_get(line->object, "crop");
	int r = 0;

	if (!crop || json_is_null(crop))
		return 0;
	r = read_bytes(crop, "crop", line->crop, sizeof(line->crop), &line->image.crop_size, err);
	line->image.crop = line->image.crop_size > 0 ? line->crop : NULL;
	return r;
}

/* Into line->vector. */
static int read_embedding(struct export_line *line, const json_t *embedding, const char **model_id, int *dimension,
			  struct error *err)
{
	const json_t *count = json_object_get(embedding, "dimension");
	json_int_t number = json_integer_value(count);
	size_t size;
	int r = read_text(embedding, "model_id", model_id, err);

	if (r == 0 && (!json_is_integer(count) || number < 1 || number > PEOPLE_MAX_DIMENSION))
		r = refuse(err, "dimension", "a number from 1 to 4096 is expected");
	if (r == 0)
		r = read_bytes(json_object_get(embedding, "vector"), "vector", line->vector, sizeof(line->vector),
			       &size, err);
	if (r == 0 && size != (size_t)number * sizeof(float))
		r = refuse(err, "vector", "not as many numbers as its dimension");
	*dimension = (int)number;
	return r;
}

static int check_embeddings(struct export_line *line, struct error *err)
{
	const json_t *embeddings = json_object_get(line->object, "embeddings");
	const char *model_id;
	int dimension;
	int r = 0;

	if (!json_is_array(embeddings))
		return refuse(err, "embeddings", "a list is expected");
	line->embedding_count = json_array_size(embeddings);
	for (size_t i = 0; r == 0 && i < line->embedding_count; i++)
		r = read_embedding(line, json_array_get(embeddings, i), &model_id, &dimension, err);
	return r;
}

int export_line_read(struct export_line *line, const char *text, size_t length, struct error *err)
{
	struct collection_image *image = &line->image;
	json_error_t fault;

	export_line_finish(line);
	line->object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &fault);
	if (!line->object)
		return error_set(err, ERROR_INVALID_JOB, "column %d: %s", fault.column, fault.text);
	if (!json_is_object(line->object))
		return error_set(err, ERROR_INVALID_JOB, "expected one JSON object a line");
	int r = read_text(line->object, "collection", &image->collection, err);
	if (r == 0)
		r = read_text(line->object, "user_id", &image->user_id, err);
	if (r == 0)
		r = read_text(line->object, "image_id", &image->image_id, err);
	const json_t *accepted = json_object_get(line->object, "accepted_ms");
	if (r == 0 && !json_is_integer(accepted))
		r = refuse(err, "accepted_ms", "a whole number is expected");
	image->accepted_ms = json_integer_value(accepted);
	if (r == 0)
		r = read_crop(line, err);
	return r < 0 ? r : check_embeddings(line, err);
}

struct collection_image export_line_embedding(struct export_line *line, size_t index)
{
	const json_t *embeddings = json_object_get(line->object, "embeddings");
	struct collection_image image = line->image;
	struct error ignored;

	/* Checked when it was read. */
	if (read_embedding(line, json_array_get(embeddings, index), &image.model_id, &image.dimension, &ignored) == 0)
		image.embedding = line->vector;
	return image;
}

void export_line_finish(struct export_line *line)
{
	json_decref(line->object);
	line->object = NULL;
	line->image = (struct collection_image){0};
	line->embedding_count = 0;
}
