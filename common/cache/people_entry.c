#include "cache/people_entry.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "embeddings are little-endian, and copied as they are");

/* Of the square of a length: what float32 of PEOPLE_MAX_DIMENSION numbers may be off, and more. */
#define LENGTH_TOLERANCE 0.01

struct header {
	uint64_t version;
	uint32_t images;
	uint32_t count;
	uint32_t dimension;
	uint32_t zero;
};

int people_entry_write(const struct people_person *p, struct buffer *out)
{
	const struct header header = {
	    .version = p->version, .images = p->images, .count = p->count, .dimension = (uint32_t)p->dimension};
	int r = buffer_append(out, &header, sizeof(header));

	if (r == 0 && p->count > 0)
		r = buffer_append(out, p->image_ids, p->count * sizeof(*p->image_ids));
	if (r == 0 && p->count > 0)
		r = buffer_append(out, p->embeddings, (size_t)p->count * p->dimension * sizeof(float));
	return r;
}

static int make_room(struct people_person *p, unsigned count, int dimension)
{
	p->dimension = dimension;
	p->image_ids = calloc(count, sizeof(*p->image_ids));
	p->embeddings = calloc(count, (size_t)dimension * sizeof(float));
	if (p->image_ids && p->embeddings)
		return 0;
	people_finish(p);
	return -ENOMEM;
}

int people_entry_read(const uint8_t *bytes, size_t size, struct people_person *out)
{
	struct header header;

	*out = (struct people_person){0};
	if (size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	size_t ids = (size_t)header.count * sizeof(*out->image_ids);
	size_t vectors = (size_t)header.count * header.dimension * sizeof(float);
	if (header.count > PEOPLE_MAX_IMAGES || header.dimension > PEOPLE_MAX_DIMENSION ||
	    size != sizeof(header) + ids + vectors)
		return -EBADMSG;
	if (header.count > 0 && make_room(out, header.count, (int)header.dimension) < 0)
		return -ENOMEM;
	out->version = header.version;
	out->images = header.images;
	out->count = header.count;
	if (header.count > 0) {
		memcpy(out->image_ids, bytes + sizeof(header), ids);
		memcpy(out->embeddings, bytes + sizeof(header) + ids, vectors);
	}
	return 0;
}

static bool read_version(const redisReply *value, uint64_t *version)
{
	*version = 0;
	if (value->len == 0 || value->len > 19 || value->str[0] == '0')
		return false;
	for (size_t i = 0; i < value->len; i++) {
		if (value->str[i] < '0' || value->str[i] > '9')
			return false;
		*version = *version * 10 + (uint64_t)(value->str[i] - '0');
	}
	return true;
}

/* An embedding has length 1: whatever else there is under a name, it must not be more alike than equal. */
static bool is_embedding(const float *vector, int dimension)
{
	double sum = 0;

	for (int i = 0; i < dimension; i++)
		sum += (double)vector[i] * vector[i];
	return isfinite(sum) && fabs(sum - 1) < LENGTH_TOLERANCE;
}

/* "e:" and an image's id. */
static int add_image(const redisReply *name, const redisReply *value, unsigned most, struct people_person *out)
{
	size_t size = (size_t)out->dimension * sizeof(float);

	if (out->count >= most || name->len != 2 + UUID_SIZE - 1 || value->len != size)
		return -EBADMSG;
	float *vector = out->embeddings + (size_t)out->count * out->dimension;
	char *id = out->image_ids[out->count];
	memcpy(id, name->str + 2, UUID_SIZE - 1);
	memcpy(vector, value->str, size);
	if (!uuid_is_valid(id) || !is_embedding(vector, out->dimension))
		return -EBADMSG;
	out->count++;
	return 0;
}

/* Fields of other names may be those of later releases. */
static int read_fields(const redisReply *reply, unsigned most, struct people_person *out)
{
	bool has_version = false;
	int r = 0;

	for (size_t i = 0; i < reply->elements && r == 0; i += 2) {
		const redisReply *name = reply->element[i];
		const redisReply *value = reply->element[i + 1];

		if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING)
			return -EBADMSG;
		if (name->len == 7 && memcmp(name->str, "version", 7) == 0)
			has_version = read_version(value, &out->version);
		else if (name->len >= 2 && memcmp(name->str, "e:", 2) == 0)
			r = add_image(name, value, most, out);
	}
	out->images = out->count;
	return r < 0 ? r : has_version ? 0 : -EBADMSG;
}

int people_entry_read_hash(const struct redisReply *reply, int dimension, struct people_person *out)
{
	*out = (struct people_person){0};
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2 != 0)
		return -EBADMSG;
	if (reply->elements == 0)
		return 0;
	size_t pairs = reply->elements / 2;
	unsigned most = pairs < PEOPLE_MAX_IMAGES ? (unsigned)pairs : PEOPLE_MAX_IMAGES;
	if (make_room(out, most, dimension) < 0)
		return -ENOMEM;
	int r = read_fields(reply, most, out);
	if (r < 0)
		people_finish(out);
	return r;
}
