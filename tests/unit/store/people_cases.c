#include "people_cases.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "people_rig.h"
#include "store/store_private.h"

static enum people_outcome enroll(const char *user, unsigned number, const char *model, uint64_t *version)
{
	char id[UUID_SIZE];
	float vector[DIMENSION];
	struct error err = {0};
	enum people_outcome outcome;
	uint64_t ignored;

	image_id(number, id);
	fill(vector, number);
	struct people_enrolment e = {
	    .collection = collection,
	    .user_id = user,
	    .command = {.accepted_ms = 1000 + number, .id = id},
	    .model_id = model,
	    .embedding = vector,
	    .dimension = DIMENSION,
	    .crop = (const uint8_t *)"jpeg",
	    .crop_size = 4,
	};
	if (people_enroll(store, &e, &outcome, version ? version : &ignored, &err) < 0)
		fail_msg("%s", err.text);
	return outcome;
}

static void test_migrates_once(void **state)
{
	struct error err = {0};
	int from, to;

	(void)state;
	assert_true(store_open(&store, &rig_settings, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_non_null(strstr(err.text, "facefleet store migrate"));
	assert_int_equal(store_migrate(&rig_settings, &from, &to, &err), 0);
	assert_int_equal(from, 0);
	assert_true(to >= 1);
	assert_int_equal(store_migrate(&rig_settings, &from, &to, &err), 0);
	assert_int_equal(from, to);
}

static void test_newer_schema_is_refused(void **state)
{
	struct error err = {0};
	struct store *newer = NULL;

	(void)state;
	assert_int_equal(database_execute(store->database, "INSERT INTO schema_version VALUES (999)", NULL, 0, &err),
			 0);
	assert_true(store_open(&newer, &rig_settings, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_non_null(strstr(err.text, "999"));
	assert_true(store_migrate(&rig_settings, NULL, NULL, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_int_equal(
	    database_execute(store->database, "DELETE FROM schema_version WHERE version = 999", NULL, 0, &err), 0);
}

static void test_enrolled_and_found(void **state)
{
	uint64_t before = newest();
	uint64_t version;
	float vector[DIMENSION];
	char id[UUID_SIZE];

	(void)state;
	assert_int_equal(enroll("ann", 2, MODEL, &version), PEOPLE_STORED);
	assert_int_equal(version, before + 1);
	assert_int_equal(enroll("ann", 1, MODEL, &version), PEOPLE_STORED);
	assert_int_equal(enroll("ann", 1, MODEL, &version), PEOPLE_UNCHANGED);
	assert_int_equal(version, before + 2);
	assert_int_equal(newest(), before + 2);

	struct people_person ann = find("ann", MODEL);
	assert_int_equal(ann.version, before + 2);
	assert_int_equal(ann.images, 2);
	assert_int_equal(ann.count, 2);
	assert_int_equal(ann.dimension, DIMENSION);
	image_id(1, id);
	fill(vector, 1);
	assert_string_equal(ann.image_ids[0], id);
	assert_memory_equal(ann.embeddings, vector, sizeof(vector));
	fill(vector, 2);
	assert_memory_equal(ann.embeddings + DIMENSION, vector, sizeof(vector));
	people_finish(&ann);

	struct people_person nobody = find("bob", MODEL);
	assert_int_equal(nobody.version, 0);
	assert_int_equal(nobody.images, 0);
}

/* Embeddings of different models are never mixed up: a mismatch is not an unknown user. */
static void test_another_model(void **state)
{
	(void)state;
	enroll("ann", 1, MODEL, NULL);
	struct people_person ann = find("ann", OTHER_MODEL);
	assert_int_equal(ann.images, 1);
	assert_int_equal(ann.count, 0);
	assert_int_equal(enroll("ann", 1, OTHER_MODEL, NULL), PEOPLE_STORED);
	ann = find("ann", OTHER_MODEL);
	assert_int_equal(ann.images, 1);
	assert_int_equal(ann.count, 1);
	people_finish(&ann);
}

static void test_tombstone(void **state)
{
	(void)state;
	assert_int_equal(unenroll("ann", 5, NULL), 0);
	assert_int_equal(enroll("ann", 4, MODEL, NULL), PEOPLE_SUPERSEDED);
	assert_int_equal(enroll("ann", 6, MODEL, NULL), PEOPLE_STORED);
	assert_int_equal(unenroll("ann", 5, NULL), 0); /* again */
	assert_int_equal(unenroll("ann", 3, NULL), 0); /* older */
	assert_int_equal(enroll("ann", 4, MODEL, NULL), PEOPLE_SUPERSEDED);
	assert_int_equal(unenroll("ann", 7, NULL), 1);
	assert_int_equal(enroll("ann", 6, MODEL, NULL), PEOPLE_SUPERSEDED);
	assert_int_equal(find("ann", MODEL).images, 0);
}

/* Commands by their time: even ones enrol, 3 unenrols. In every order, some delivered twice, the end is the same. */
static void deliver(const char *user, unsigned number)
{
	if (number == 3)
		unenroll(user, number, NULL);
	else
		enroll(user, number, MODEL, NULL);
}

static void permute(unsigned *numbers, unsigned from, unsigned count, unsigned *user)
{
	if (from == count) {
		char name[32];

		snprintf(name, sizeof(name), "user-%u", (*user)++);
		for (unsigned i = 0; i < count; i++)
			deliver(name, numbers[i]);
		for (unsigned i = 0; i < count; i += 2)
			deliver(name, numbers[i]);
		struct people_person person = find(name, MODEL);
		char id[UUID_SIZE];
		image_id(4, id);
		assert_int_equal(person.count, 1);
		assert_string_equal(person.image_ids[0], id);
		people_finish(&person);
		return;
	}
	for (unsigned i = from; i < count; i++) {
		unsigned other = numbers[from];

		numbers[from] = numbers[i];
		numbers[i] = other;
		permute(numbers, from + 1, count, user);
		numbers[i] = numbers[from];
		numbers[from] = other;
	}
}

static void test_every_order(void **state)
{
	unsigned numbers[] = {1, 2, 3, 4};
	unsigned user = 0;

	(void)state;
	permute(numbers, 0, 4, &user);
	assert_int_equal(user, 24);
}

static void test_no_more_than_the_maximum(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PEOPLE_MAX_IMAGES; i++)
		assert_int_equal(enroll("ann", i, MODEL, NULL), PEOPLE_STORED);
	assert_int_equal(enroll("ann", PEOPLE_MAX_IMAGES, MODEL, NULL), PEOPLE_FULL);
	assert_int_equal(enroll("ann", 0, MODEL, NULL), PEOPLE_UNCHANGED);
	struct people_person ann = find("ann", MODEL);
	assert_int_equal(ann.count, PEOPLE_MAX_IMAGES);
	people_finish(&ann);
}

struct seen {
	unsigned count;
	uint64_t last;
	char users[8][32];
};

static int see_change(void *arg, uint64_t version, const char *in, const char *user)
{
	struct seen *seen = arg;

	assert_string_equal(in, collection);
	assert_true(version > seen->last);
	seen->last = version;
	snprintf(seen->users[seen->count++], sizeof(seen->users[0]), "%s", user);
	return 0;
}

static void test_changes_once_each_and_in_order(void **state)
{
	uint64_t before = newest();
	struct seen seen = {.last = before};

	(void)state;
	enroll("ann", 1, MODEL, NULL);
	enroll("bob", 2, MODEL, NULL);
	enroll("cid", 3, MODEL, NULL);
	enroll("ann", 4, MODEL, NULL);
	unenroll("bob", 9, NULL);
	assert_int_equal(people_changes(store, before, 2, see_change, &seen, NULL), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(people_changes(store, seen.last, 8, see_change, &seen, NULL), 0);
	assert_int_equal(seen.count, 3);
	assert_string_equal(seen.users[0], "cid");
	assert_string_equal(seen.users[1], "ann");
	assert_string_equal(seen.users[2], "bob");
	assert_int_equal(seen.last, newest());
}

static int see_row(void *arg, const struct people_row *row)
{
	struct seen *seen = arg;

	assert_string_equal(row->collection, collection);
	assert_int_equal(row->dimension, DIMENSION);
	assert_float_equal(row->embedding[1] - row->embedding[0], 0.125f, 0);
	snprintf(seen->users[seen->count++], sizeof(seen->users[0]), "%s", row->user_id);
	return 0;
}

static void test_load_is_one_model_of_one_collection(void **state)
{
	struct seen seen = {0};
	uint64_t version;

	(void)state;
	enroll("bob", 1, MODEL, NULL);
	enroll("ann", 2, MODEL, NULL);
	enroll("cid", 3, OTHER_MODEL, NULL);
	enroll("ann", 4, MODEL, NULL);
	assert_int_equal(people_load(store, collection, MODEL, &version, see_row, &seen, NULL), 0);
	assert_int_equal(version, newest());
	assert_int_equal(seen.count, 3);
	assert_string_equal(seen.users[0], "ann");
	assert_string_equal(seen.users[1], "ann");
	assert_string_equal(seen.users[2], "bob");
}

static void put_vector(const char *user, const void *bytes, size_t size)
{
	const struct database_value values[] = {database_text(collection), database_text(user),
						database_bytes(bytes, size)};
	struct error err = {0};

	if (database_execute(store->database,
			     "UPDATE embeddings SET vector = $3 WHERE collection = $1 AND user_id = $2", values, 3,
			     &err))
		fail_msg("%s", err.text);
}

/* What no program of ours wrote is left out, and the rest is found. */
static void test_damaged_rows_are_left_out(void **state)
{
	static const float not_a_number[DIMENSION] = {1, NAN, 0, 0};
	struct seen seen = {0};
	uint64_t version;

	(void)state;
	enroll("ann", 1, MODEL, NULL);
	enroll("bob", 2, MODEL, NULL);
	enroll("cid", 3, MODEL, NULL);
	put_vector("ann", "odd", 3);
	put_vector("bob", not_a_number, sizeof(not_a_number));
	assert_int_equal(find("ann", MODEL).count, 0);
	assert_int_equal(find("bob", MODEL).count, 0);
	assert_int_equal(people_load(store, collection, MODEL, &version, see_row, &seen, NULL), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.users[0], "cid");
}

/* Text is text, whatever it holds. */
static void test_any_user_id(void **state)
{
	static const char *const users[] = {"'; DROP TABLE persons; --", "\xc3\xa9\xe2\x82\xac", "%s\\n", "a b"};

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(enroll(users[i], i, MODEL, NULL), PEOPLE_STORED);
	for (unsigned i = 0; i < 4; i++) {
		struct people_person person = find(users[i], MODEL);

		assert_int_equal(person.count, 1);
		people_finish(&person);
	}
}

static void *enroll_many(void *arg)
{
	struct store *own;
	uintptr_t first = (uintptr_t)arg;
	struct error err;

	if (store_open(&own, &rig_settings, &err) < 0)
		return (void *)1;
	for (unsigned i = 0; i < 25; i++) {
		char id[UUID_SIZE];
		float vector[DIMENSION];
		enum people_outcome outcome;
		uint64_t version;

		image_id((unsigned)first + i, id);
		fill(vector, i);
		struct people_enrolment e = {collection, "ann", {1000 + i, id}, MODEL, vector, DIMENSION, NULL, 0};
		if (people_enroll(own, &e, &outcome, &version, &err) < 0 || outcome != PEOPLE_STORED)
			return (void *)1;
	}
	store_close(own);
	return NULL;
}

static void test_two_writers(void **state)
{
	uint64_t before = newest();
	pthread_t threads[2];

	(void)state;
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, enroll_many, (void *)(100 * i)), 0);
	for (unsigned i = 0; i < 2; i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	assert_int_equal(newest(), before + 50);
	struct people_person ann = find("ann", MODEL);
	assert_int_equal(ann.count, 50);
	people_finish(&ann);
}

int people_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_migrates_once),
	    PEOPLE_CASE(test_newer_schema_is_refused),
	    PEOPLE_CASE(test_enrolled_and_found),
	    PEOPLE_CASE(test_another_model),
	    PEOPLE_CASE(test_tombstone),
	    PEOPLE_CASE(test_every_order),
	    PEOPLE_CASE(test_no_more_than_the_maximum),
	    PEOPLE_CASE(test_changes_once_each_and_in_order),
	    PEOPLE_CASE(test_load_is_one_model_of_one_collection),
	    PEOPLE_CASE(test_damaged_rows_are_left_out),
	    PEOPLE_CASE(test_any_user_id),
	    PEOPLE_CASE(test_two_writers),
	};

	rig_settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
