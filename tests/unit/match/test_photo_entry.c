#include "run.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "photo_entry.h"

#define DIMENSION 4

static struct face_set written;
static struct face_set read_back;

static void fill(struct buffer *entry)
{
	written = (struct face_set){.count = 3, .embedded = 2};
	for (int i = 0; i < written.count; i++) {
		written.faces[i].box[2] = (float)(40 + i);
		written.faces[i].score = 0.9f;
		written.faces[i].landmarks[4][1] = (float)i;
	}
	written.embeddings[0][1] = 1;
	written.embeddings[1][0] = 0.6f;
	written.embeddings[1][3] = -0.8f;
	assert_int_equal(photo_entry_write(&written, DIMENSION, entry), 0);
}

static void test_what_is_written_is_read(void **state)
{
	struct buffer entry = {0};

	(void)state;
	fill(&entry);
	assert_int_equal(photo_entry_read(entry.data, entry.size, DIMENSION, &read_back), 0);
	assert_int_equal(read_back.count, 3);
	assert_int_equal(read_back.embedded, 2);
	assert_memory_equal(read_back.faces, written.faces, 3 * sizeof(written.faces[0]));
	assert_memory_equal(read_back.embeddings[1], written.embeddings[1], DIMENSION * sizeof(float));
	buffer_finish(&entry);
}

static void test_every_other_length_is_refused(void **state)
{
	struct buffer entry = {0};

	(void)state;
	fill(&entry);
	for (size_t size = 0; size < entry.size; size++)
		assert_int_equal(photo_entry_read(entry.data, size, DIMENSION, &read_back), -EBADMSG);
	assert_int_equal(photo_entry_read(entry.data, entry.size + 1, DIMENSION, &read_back), -EBADMSG);
	assert_int_equal(photo_entry_read(entry.data, entry.size, DIMENSION + 1, &read_back), -EBADMSG);
	buffer_finish(&entry);
}

/* Each 16-bit number at `at` of a good entry. */
static void refuse(size_t at, uint16_t value)
{
	struct buffer entry = {0};

	fill(&entry);
	memcpy(entry.data + at, &value, sizeof(value));
	assert_int_equal(photo_entry_read(entry.data, entry.size, DIMENSION, &read_back), -EBADMSG);
	buffer_finish(&entry);
}

static void test_counts_are_checked(void **state)
{
	(void)state;
	refuse(0, 2);      /* another version */
	refuse(4, 0);      /* no faces */
	refuse(4, 0xFFFF); /* too many */
	refuse(6, 0);      /* none embedded */
	refuse(6, 9);      /* more than there may be */
	refuse(6, 3);      /* not as many bytes */
	refuse(8, 0xFFFF); /* another dimension */
}

static void test_numbers_are_checked(void **state)
{
	const float bad[] = {NAN, INFINITY, 0.5f};
	struct buffer entry = {0};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		buffer_clear(&entry);
		fill(&entry);
		/* The last embedding is at the end: not finite, or no longer of length 1. */
		memcpy(entry.data + entry.size - sizeof(float), &bad[i], sizeof(float));
		assert_int_equal(photo_entry_read(entry.data, entry.size, DIMENSION, &read_back), -EBADMSG);
	}
	buffer_clear(&entry);
	fill(&entry);
	memcpy(entry.data + 12, &bad[0], sizeof(float)); /* a box */
	assert_int_equal(photo_entry_read(entry.data, entry.size, DIMENSION, &read_back), -EBADMSG);
	buffer_finish(&entry);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_what_is_written_is_read),
    cmocka_unit_test(test_every_other_length_is_refused),
    cmocka_unit_test(test_counts_are_checked),
    cmocka_unit_test(test_numbers_are_checked),
};

RUN_TESTS(tests)
