#include "run.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cache/people_entry.h"
#include "cache/redis_wire.h"
#include "person.h"

#define ID "e:00000000-0000-7000-8000-000000000001"
#define OTHER "e:00000000-0000-7000-8000-000000000002"

static const float unit[PERSON_DIMENSION] = {0.5f, -0.5f, 0.5f, -0.5f};

/* A hash as HGETALL answers it. */
struct hash {
	unsigned count;
	struct buffer text;
};

static void add(struct hash *h, const void *bytes, size_t size)
{
	h->count++;
	assert_true(buffer_printf(&h->text, "$%zu\r\n", size) == 0 && buffer_append(&h->text, bytes, size) == 0 &&
		    buffer_append(&h->text, "\r\n", 2) == 0);
}

static void add_text(struct hash *h, const char *name, const char *value)
{
	add(h, name, strlen(name));
	add(h, value, strlen(value));
}

static void add_vector(struct hash *h, const char *name, const float *vector, size_t count)
{
	add(h, name, strlen(name));
	add(h, vector, count * sizeof(float));
}

static redisReply *parse(const char *text, size_t size)
{
	struct redis_wire_reader reader;
	redisReply *reply = NULL;

	assert_int_equal(redis_wire_reader_init(&reader), 0);
	assert_int_equal(redis_wire_reader_feed(&reader, text, size, &reply), 1);
	redis_wire_reader_finish(&reader);
	return reply;
}

/* Reads the hash and forgets it. */
static int read_hash(struct hash *h, struct people_person *out)
{
	struct buffer text = {0};

	assert_true(buffer_printf(&text, "*%u\r\n", h->count) == 0 &&
		    buffer_append(&text, h->text.data, h->text.size) == 0);
	redisReply *reply = parse((const char *)text.data, text.size);
	int r = people_entry_read_hash(reply, PERSON_DIMENSION, out);
	freeReplyObject(reply);
	buffer_finish(&text);
	buffer_finish(&h->text);
	h->count = 0;
	return r;
}

static void expect_garbage(struct hash *h)
{
	struct people_person person;

	assert_int_equal(read_hash(h, &person), -EBADMSG);
	assert_int_equal(person.count, 0);
	assert_null(person.embeddings);
}

static void test_there_and_back(void **state)
{
	static const unsigned counts[] = {0, 1, 2, PEOPLE_MAX_IMAGES};

	(void)state;
	for (size_t i = 0; i < array_size(counts); i++) {
		struct people_person person = person_make(UINT64_MAX - i, counts[i]);
		struct people_person copy;
		struct buffer entry = {0};
		person.images += 3;
		assert_int_equal(people_entry_write(&person, &entry), 0);
		assert_int_equal(people_entry_read(entry.data, entry.size, &copy), 0);
		person_expect(&copy, person.version, counts[i]);
		assert_int_equal(copy.images, counts[i] + 3);
		people_finish(&copy);
		for (size_t size = 0; size < entry.size; size++)
			assert_int_equal(people_entry_read(entry.data, size, &copy), -EBADMSG);
		people_finish(&person);
		buffer_finish(&entry);
	}
}

static void test_hash(void **state)
{
	struct people_person person = person_make(7, 3);
	struct people_person copy;
	struct hash h = {0};
	char name[64];

	(void)state;
	for (unsigned i = 0; i < person.count; i++) {
		snprintf(name, sizeof(name), "e:%s", person.image_ids[i]);
		add_vector(&h, name, person.embeddings + (size_t)i * PERSON_DIMENSION, PERSON_DIMENSION);
		if (i == 0)
			add_text(&h, "version", "7");
	}
	add_text(&h, "of a later release", "x");
	assert_int_equal(read_hash(&h, &copy), 0);
	person_expect(&copy, 7, 3);
	assert_int_equal(copy.images, 3);
	people_finish(&copy);
	people_finish(&person);
}

static void test_no_images(void **state)
{
	struct people_person person;
	struct hash h = {0};

	(void)state;
	assert_int_equal(read_hash(&h, &person), 0);
	assert_int_equal(person.version, 0);
	add_text(&h, "version", "9223372036854775807");
	assert_int_equal(read_hash(&h, &person), 0);
	assert_int_equal(person.version, INT64_MAX);
	assert_int_equal(person.count, 0);
	people_finish(&person);
}

static void test_garbage_versions(void **state)
{
	static const char *const versions[] = {"", "0", "01", "-1", "+1", "1.0", "x", "1 ", "12345678901234567890"};
	struct hash h = {0};

	(void)state;
	for (size_t i = 0; i < array_size(versions); i++) {
		add_text(&h, "version", versions[i]);
		expect_garbage(&h);
	}
	add_vector(&h, ID, unit, PERSON_DIMENSION);
	expect_garbage(&h);
}

static void test_garbage_images(void **state)
{
	static const float vectors[][PERSON_DIMENSION] = {{0, 0, 0, 0},         {1, 1, 1, 1},
							  {NAN, 0, 0, 1},       {INFINITY, 0, 0, 0},
							  {3e38f, 3e38f, 0, 0}, {0.5f, 0.5f, 0.5f, 0}};
	static const char *const names[] = {"e:", "e:x", ID "0", "e:00000000-0000-7000-8000-00000000000G"};
	static const float longer[PERSON_DIMENSION + 1] = {1};
	struct hash h = {0};

	(void)state;
	for (size_t i = 0; i < array_size(vectors); i++) {
		add_text(&h, "version", "1");
		add_vector(&h, OTHER, unit, PERSON_DIMENSION);
		add_vector(&h, ID, vectors[i], PERSON_DIMENSION);
		expect_garbage(&h);
	}
	for (size_t i = 0; i < array_size(names); i++) {
		add_text(&h, "version", "1");
		add_vector(&h, names[i], unit, PERSON_DIMENSION);
		expect_garbage(&h);
	}
	for (size_t count = 0; count <= PERSON_DIMENSION + 1; count++) {
		struct people_person person;
		add_text(&h, "version", "1");
		add_vector(&h, ID, longer, count);
		assert_int_equal(read_hash(&h, &person), count == PERSON_DIMENSION ? 0 : -EBADMSG);
		people_finish(&person);
	}
	add_text(&h, "version", "1");
	for (int i = 0; i <= PEOPLE_MAX_IMAGES; i++)
		add_vector(&h, ID, unit, PERSON_DIMENSION);
	expect_garbage(&h);
}

static void test_no_hash_at_all(void **state)
{
	static const char *const texts[] = {
	    "+OK\r\n",
	    ":7\r\n",
	    "$-1\r\n",
	    "*-1\r\n",
	    "$7\r\nversion\r\n",
	    "*1\r\n$7\r\nversion\r\n",
	    "*3\r\n$7\r\nversion\r\n$1\r\n1\r\n$1\r\nx\r\n",
	    "*2\r\n$7\r\nversion\r\n:7\r\n",
	    "*2\r\n$7\r\nversion\r\n$-1\r\n",
	    "*2\r\n$-1\r\n$1\r\n1\r\n",
	    "*2\r\n*0\r\n*0\r\n",
	};

	(void)state;
	for (size_t i = 0; i < array_size(texts); i++) {
		struct people_person person;
		redisReply *reply = parse(texts[i], strlen(texts[i]));
		if (people_entry_read_hash(reply, PERSON_DIMENSION, &person) != -EBADMSG)
			fail_msg("%s", texts[i]);
		assert_null(person.embeddings);
		freeReplyObject(reply);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_hash),
    cmocka_unit_test(test_no_images),      cmocka_unit_test(test_garbage_versions),
    cmocka_unit_test(test_garbage_images), cmocka_unit_test(test_no_hash_at_all),
};
RUN_TESTS(tests)
