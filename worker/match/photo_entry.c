#include "photo_entry.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* To be raised when the bytes after it change their meaning. */
#define VERSION 1

/* Lengths of embeddings as they come out of arithmetic in float32. */
#define LENGTH_ERROR 1e-3

struct header {
	uint32_t version;
	uint16_t count;
	uint16_t embedded;
	uint32_t dimension;
};

int photo_entry_write(const struct face_set *faces, int dimension, struct buffer *out)
{
	const struct header header = {
	    .version = VERSION,
	    .count = (uint16_t)faces->count,
	    .embedded = (uint16_t)faces->embedded,
	    .dimension = (uint32_t)dimension,
	};
	int r = buffer_append(out, &header, sizeof(header));

	if (r == 0)
		r = buffer_append(out, faces->faces, (size_t)faces->count * sizeof(*faces->faces));
	for (int i = 0; i < faces->embedded && r == 0; i++)
		r = buffer_append(out, faces->embeddings[i], (size_t)dimension * sizeof(float));
	return r;
}

static bool are_finite(const float *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(numbers[i]))
			return false;
	}
	return true;
}

static bool is_unit(const float *embedding, int dimension)
{
	double square = 0;

	for (int i = 0; i < dimension; i++)
		square += (double)embedding[i] * embedding[i];
	return fabs(square - 1) < LENGTH_ERROR;
}

int photo_entry_read(const uint8_t *bytes, size_t size, int dimension, struct face_set *faces)
{
	/* A face is nothing but floats, without gaps. */
	_Static_assert(sizeof(struct face) == (4 + 1 + 2 * FACE_LANDMARKS) * sizeof(float), "no gaps");
	struct header header;
	const size_t row = (size_t)dimension * sizeof(float);

	if (size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	if (header.version != VERSION || header.dimension != (uint32_t)dimension || header.count < 1 ||
	    header.count > FACE_MAX_FACES || header.embedded < 1 || header.embedded > FACE_MAX_PAIRED ||
	    header.embedded > header.count)
		return -EBADMSG;
	const size_t boxes = header.count * sizeof(*faces->faces);
	if (size != sizeof(header) + boxes + header.embedded * row)
		return -EBADMSG;
	bytes += sizeof(header);
	faces->count = header.count;
	faces->embedded = header.embedded;
	memcpy(faces->faces, bytes, boxes);
	if (!are_finite((const float *)faces->faces, boxes / sizeof(float)))
		return -EBADMSG;
	for (int i = 0; i < faces->embedded; i++) {
		memcpy(faces->embeddings[i], bytes + boxes + (size_t)i * row, row);
		if (!are_finite(faces->embeddings[i], (size_t)dimension) || !is_unit(faces->embeddings[i], dimension))
			return -EBADMSG;
	}
	return 0;
}
