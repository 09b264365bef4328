#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "person.h"

static void write_image(uint64_t version, unsigned image, char id[UUID_SIZE], float vector[PERSON_DIMENSION])
{
	snprintf(id, UUID_SIZE, "00000000-0000-7000-8000-%08x%04x", (unsigned)(uint32_t)version, image & 0xFFFF);
	for (int i = 0; i < PERSON_DIMENSION; i++)
		vector[i] = ((version + image) >> i) & 1 ? 0.5f : -0.5f;
}

struct people_person person_make(uint64_t version, unsigned count)
{
	struct people_person p = {.version = version, .images = count, .count = count};

	if (count == 0)
		return p;
	p.dimension = PERSON_DIMENSION;
	p.image_ids = calloc(count, sizeof(*p.image_ids));
	p.embeddings = calloc(count, PERSON_DIMENSION * sizeof(float));
	assert_true(p.image_ids && p.embeddings);
	for (unsigned i = 0; i < count; i++)
		write_image(version, i, p.image_ids[i], p.embeddings + (size_t)i * PERSON_DIMENSION);
	return p;
}

/* In any order: a hash has none. */
void person_expect(const struct people_person *p, uint64_t version, unsigned count)
{
	char id[UUID_SIZE];
	float vector[PERSON_DIMENSION];

	assert_int_equal(p->version, version);
	assert_int_equal(p->count, count);
	for (unsigned i = 0; i < count; i++) {
		unsigned at = 0;
		write_image(version, i, id, vector);
		while (at < count && strcmp(p->image_ids[at], id) != 0)
			at++;
		assert_true(at < count);
		assert_int_equal(p->dimension, PERSON_DIMENSION);
		assert_memory_equal(p->embeddings + (size_t)at * PERSON_DIMENSION, vector, sizeof(vector));
	}
}
