/*
 * Enrolled people in a store: COUNT enrolments one by one as a worker does, each with a picture of 15 KB, two for each
 * person; then all read as a worker does when it starts; then 1,000 people found at random.
 * usage: bench_people_store URL COUNT (the store should be empty)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/people.h"

#define DIMENSION 128
#define CROP_BYTES 15000
#define IMAGES_EACH 2
#define FINDS 1000
#define MODEL "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static uint64_t state = 88172645463325252u;

/* xorshift64 by G. Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static double seconds_since(int64_t start)
{
	return (double)(clock_monotonic_ns() - start) / 1e9;
}

static void fill(float vector[DIMENSION], uint8_t crop[CROP_BYTES])
{
	for (int i = 0; i < DIMENSION; i++)
		vector[i] = (float)(int32_t)(next_random() >> 32) / 2147483648.0f / 6.5f;
	for (int i = 0; i + 8 <= CROP_BYTES; i += 8) {
		uint64_t noise = next_random();

		memcpy(crop + i, &noise, 8);
	}
}

static void user_name(unsigned long number, char out[32])
{
	snprintf(out, 32, "user-%lu", number / IMAGES_EACH);
}

static int enroll_all(struct store *store, unsigned long count, struct error *err)
{
	static uint8_t crop[CROP_BYTES];
	float vector[DIMENSION];
	enum people_outcome outcome;
	uint64_t version;
	int64_t start = clock_monotonic_ns();
	int64_t longest = 0;

	for (unsigned long i = 0; i < count; i++) {
		char user[32], id[UUID_SIZE];

		user_name(i, user);
		snprintf(id, sizeof(id), "00000000-0000-7000-8000-%012x", (unsigned)i);
		fill(vector, crop);
		const struct people_enrolment e = {"default", user, {(int64_t)i, id}, MODEL, vector,
						   DIMENSION, crop, CROP_BYTES};
		int64_t before = clock_monotonic_ns();
		int r = people_enroll(store, &e, &outcome, &version, err);

		if (r < 0)
			return r;
		if (outcome != PEOPLE_STORED)
			return error_set(err, ERROR_INTERNAL, "the store is not empty");
		int64_t took = clock_monotonic_ns() - before;
		longest = took > longest ? took : longest;
	}
	printf("enrol   %10.0f a second (longest %.1f ms)\n", (double)count / seconds_since(start),
	       (double)longest / 1e6);
	return 0;
}

static int count_row(void *arg, const struct people_row *row)
{
	*(unsigned long *)arg += row->dimension == DIMENSION;
	return 0;
}

static int load_all(struct store *store, struct error *err)
{
	unsigned long count = 0;
	uint64_t version;
	int64_t start = clock_monotonic_ns();
	int r = people_load(store, NULL, MODEL, &version, count_row, &count, err);

	if (r == 0)
		printf("load    %10.0f a second (%lu in %.2f s)\n", (double)count / seconds_since(start), count,
		       seconds_since(start));
	return r;
}

static int find_some(struct store *store, unsigned long count, struct error *err)
{
	int64_t start = clock_monotonic_ns();

	for (int i = 0; i < FINDS; i++) {
		struct people_person person;
		char user[32];

		user_name(next_random() % count, user);
		int r = people_find(store, "default", user, MODEL, &person, err);

		if (r < 0)
			return r;
		people_finish(&person);
	}
	printf("find    %10.0f a second\n", FINDS / seconds_since(start));
	return 0;
}

int main(int argc, char **argv)
{
	struct store_settings settings = {.url = argc == 3 ? argv[1] : NULL, .timeout_ms = 60000};
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct store *store = NULL;
	struct error err = {0};

	if (count == 0) {
		fprintf(stderr, "usage: %s URL COUNT\n", argv[0]);
		return 2;
	}
	int r = store_migrate(&settings, NULL, NULL, &err);
	if (r == 0)
		r = store_open(&store, &settings, &err);
	if (r == 0)
		r = enroll_all(store, count, &err);
	if (r == 0)
		r = load_all(store, &err);
	if (r == 0)
		r = find_some(store, count, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	store_close(store);
	return r < 0;
}
