/* Enrolled people in a real Redis: what lies there, and what becomes of it when Redis is full, wrong, gone or slow. */
#include "run.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#include "cache/people_cache.h"
#include "cache/people_redis.h"
#include "person.h"
#include "server.h"
#include "wait.h"

#define KEY "face:c:ann:model"

/* A process: its own memory, and what the store tells it. */
struct process {
	struct metrics *metrics;
	struct people_cache *cache;
	unsigned loads;
	uint64_t version;
	unsigned images;
};

static int load(void *arg, const char *collection, const char *user_id, struct people_person *out, struct error *err)
{
	struct process *process = arg;

	(void)err;
	process->loads++;
	*out = person_make(process->version, process->images);
	(void)collection;
	(void)user_id;
	return 0;
}

static struct process begin(struct redis *redis, uint64_t version, unsigned images)
{
	struct process process = {.metrics = metrics_new(), .version = version, .images = images};

	process.cache = people_cache_new(&(struct people_cache_settings){.max_bytes = 1000000,
									 .redis = redis,
									 .model_id = "model",
									 .dimension = PERSON_DIMENSION,
									 .metrics = process.metrics});
	assert_non_null(process.cache);
	return process;
}

/* It has heard of ann: up to `version`. */
static void know(struct process *process, uint64_t version)
{
	assert_int_equal(people_cache_know(process->cache, "c", "ann", version), 0);
}

static void end(struct process *process)
{
	people_cache_free(process->cache);
	metrics_free(process->metrics);
}

/* Finds ann as she is in the store, with so many looks there. */
static void expect(struct process *process, unsigned loads)
{
	struct people_person person;
	struct error err = {0};

	assert_int_equal(people_cache_find(process->cache, NULL, "c", "ann", load, process, &person, &err), 0);
	person_expect(&person, process->version, process->images);
	people_finish(&person);
	assert_int_equal(process->loads, loads);
}

/* The same in a process that begins for it: `loads` 0 when Redis has her. */
static void expect_anew(struct redis *redis, uint64_t version, unsigned images, unsigned loads)
{
	struct process process = begin(redis, version, images);

	know(&process, version);
	expect(&process, loads);
	end(&process);
}

static void put(struct redis *redis, uint64_t version, unsigned images)
{
	struct people_person person = person_make(version, images);

	assert_int_equal(people_redis_put(redis, NULL, KEY, &person), 0);
	people_finish(&person);
}

static void expect_version(const char *version, const char *fields)
{
	server_expect("HGET " KEY " version", version);
	server_expect("HLEN " KEY, fields);
}

static double garbage(const struct process *process)
{
	return metric_value(metrics_counter(process->metrics, "facefleet_cache_garbage_total",
					    "What a shared cache held and nobody could have meant.",
					    (const char *const[]){"cache", "people", NULL}));
}

/* An empty Redis, and a client of it. */
static struct redis *fresh(void)
{
	server_expect("FLUSHALL", "OK");
	return server_client(0);
}

static void test_what_lies_there(void **state)
{
	struct redis *redis = fresh();
	struct people_person person = person_make(5, 2);
	char words[128];

	(void)state;
	expect_anew(redis, 5, 2, 1);
	server_expect("TYPE " KEY, "hash");
	expect_version("5", "3");
	for (int i = 0; i < 2; i++) {
		snprintf(words, sizeof(words), "HGET " KEY " e:%s", person.image_ids[i]);
		redisReply *reply = server_ask(words);
		assert_int_equal(reply->type, REDIS_REPLY_STRING);
		assert_int_equal(reply->len, PERSON_DIMENSION * 4);
		assert_memory_equal(reply->str, person.embeddings + i * PERSON_DIMENSION, reply->len);
		freeReplyObject(reply);
	}
	redisReply *reply = server_ask("TTL " KEY);
	assert_in_range(reply->integer, 1, 3600);
	freeReplyObject(reply);
	people_finish(&person);
	redis_free(redis);
}

static void test_others_find_it(void **state)
{
	struct redis *redis = fresh();
	struct process process = begin(redis, 5, PEOPLE_MAX_IMAGES);

	(void)state;
	know(&process, 5);
	expect(&process, 1);
	expect(&process, 1);
	expect_anew(redis, 5, PEOPLE_MAX_IMAGES, 0);
	end(&process);
	redis_free(redis);
}

static void test_older_never_replaces_newer(void **state)
{
	struct redis *redis = fresh();

	(void)state;
	put(redis, 10, 2);
	put(redis, 9, 1);
	expect_version("10", "3");
	put(redis, 10, 0); /* says nothing new */
	expect_version("10", "3");
	put(redis, 11, 0);
	expect_version("11", "1");
	put(redis, 10, 2);
	expect_version("11", "1");
	put(redis, 11, 1);
	expect_version("11", "2");
	put(redis, 100, 3);
	expect_version("100", "4");
	put(redis, 99, 1);
	expect_version("100", "4");
	redis_free(redis);
}

static void test_telling_clears(void **state)
{
	struct redis *redis = fresh();
	struct process process = begin(redis, 5, 2);

	(void)state;
	know(&process, 5);
	expect(&process, 1);
	process.version = 6;
	process.images = 0;
	know(&process, 6);
	people_cache_tell(process.cache, NULL, "c", "ann", 6);
	expect_version("6", "1");
	expect(&process, 2);
	expect_anew(redis, 6, 0, 1);
	/* Somebody who read the store before that comes too late. */
	expect_anew(redis, 5, 2, 1);
	expect_version("6", "1");
	end(&process);
	redis_free(redis);
}

static void test_older_than_known_is_not_taken(void **state)
{
	struct redis *redis = fresh();
	struct process process = begin(redis, 6, 1);

	(void)state;
	put(redis, 5, 2);
	know(&process, 6);
	expect(&process, 1);
	expect_version("6", "2");
	end(&process);
	redis_free(redis);
}

/* Redis holds somebody who may have left the store before this process began. */
static void test_who_was_never_seen_is_not_taken(void **state)
{
	struct redis *redis = fresh();
	struct process process = begin(redis, 0, 0);

	(void)state;
	put(redis, 5, 2);
	expect(&process, 1);
	expect_version("5", "3");
	end(&process);
	redis_free(redis);
}

static void test_garbage_is_replaced(void **state)
{
	static const char *const commands[] = {
	    "SET " KEY " 9",
	    "RPUSH " KEY " version 9",
	    "HSET " KEY " version x",
	    "HSET " KEY " version 0",
	    "HSET " KEY " version 12345678901234567890",
	    "HSET " KEY " a b",
	    "HSET " KEY " version 1 e:x y",
	    "HSET " KEY " version 1 e:00000000-0000-7000-8000-000000000001 short",
	    "HSET " KEY " version 1 e:00000000-0000-7000-8000-000000000001 sixteen-letters!",
	};
	struct redis *redis = fresh();

	(void)state;
	for (size_t i = 0; i < array_size(commands); i++) {
		struct process process = begin(redis, 5, 2);
		know(&process, 5);
		freeReplyObject(server_ask("DEL " KEY));
		redisReply *reply = server_ask(commands[i]);
		assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
		freeReplyObject(reply);
		expect(&process, 1);
		assert_true(garbage(&process) == (i < 2 ? 0 : 1));
		expect_version("5", "3");
		end(&process);
	}
	redis_free(redis);
}

static bool is_integer(void *arg, const struct redisReply *reply)
{
	(void)arg;
	return reply->type == REDIS_REPLY_INTEGER;
}

/* More fields than any person has: that connection is given up, another overwrites. */
static void test_a_hash_without_end(void **state)
{
	struct redis *redis = fresh();
	struct process process = begin(redis, 5, 2);
	char field[16];
	const struct redis_argument arguments[] = {{"HSET", 4}, {KEY, strlen(KEY)}, {field, 5}, {"x", 1}};

	(void)state;
	for (int i = 0; i < REDIS_MAX_ELEMENTS; i++) {
		snprintf(field, sizeof(field), "%05d", i);
		assert_int_equal(redis_command(redis, NULL, arguments, array_size(arguments), is_integer, NULL), 0);
	}
	know(&process, 5);
	expect(&process, 1);
	expect_version("5", "3");
	end(&process);
	redis_free(redis);
}

static void test_a_full_one(void **state)
{
	struct redis *redis = fresh();
	struct process process = begin(redis, 5, 2);

	(void)state;
	know(&process, 5);
	server_expect("CONFIG SET maxmemory 1", "OK");
	expect(&process, 1);
	server_expect("EXISTS " KEY, "0");
	people_cache_tell(process.cache, NULL, "c", "ann", 6);
	server_expect("EXISTS " KEY, "0");
	server_expect("CONFIG SET maxmemory 0", "OK");
	/* What is there is cleared all the same. */
	put(redis, 7, 2);
	server_expect("CONFIG SET maxmemory 1", "OK");
	people_cache_tell(process.cache, NULL, "c", "ann", 8);
	expect_version("8", "1");
	server_expect("CONFIG SET maxmemory 0", "OK");
	end(&process);
	redis_free(redis);
}

/* It is not there for a while: nothing is lost but time, and what it missed brings nobody back. */
static void without(const char *go, const char *come, int64_t timeout_ms)
{
	struct redis *redis = server_client(timeout_ms);
	struct process process = begin(redis, 5, 2);

	server_expect("FLUSHALL", "OK");
	know(&process, 5);
	expect(&process, 1);
	server_do(go);
	expect(&process, 1);
	process.version = 6;
	process.images = 1;
	know(&process, 6);
	people_cache_tell(process.cache, NULL, "c", "ann", 6);
	expect(&process, 2);
	server_do(come);
	/* Another process, which has heard of version 6, never takes 5, whatever Redis was told while it was away. */
	struct process other = begin(redis, 6, 1);
	know(&other, 6);
	struct people_person found;
	struct error err = {0};
	assert_int_equal(people_cache_find(other.cache, NULL, "c", "ann", load, &other, &found, &err), 0);
	person_expect(&found, 6, 1);
	people_finish(&found);
	end(&other);
	struct people_person person = person_make(6, 1);
	WAIT_UNTIL(people_redis_put(redis, NULL, KEY, &person) >= 0);
	people_finish(&person);
	/* Has all the time that a busy machine takes. */
	struct redis *patient = server_client(0);
	expect_anew(patient, 6, 1, 0);
	redis_free(patient);
	end(&process);
	redis_free(redis);
}

static void test_killed_and_started(void **state)
{
	(void)state;
	without("kill", "start", 0);
}

static void test_frozen_and_thawed(void **state)
{
	(void)state;
	without("freeze", "thaw", 100);
}

static void test_forgotten_by_pattern(void **state)
{
	struct redis *redis = fresh();
	char key[PEOPLE_REDIS_KEY_SIZE], pattern[PEOPLE_CACHE_PATTERN_SIZE];
	static const char *const keys[][3] = {
	    {"c", "a*", "m"}, {"c", "a*", "other"}, {"d", "a*", "m"}, {"c", "abc", "m"}, {"c", "a*:m", "m"}};
	struct people_person person = person_make(1, 1);
	struct error err = {0};
	uint64_t removed;

	(void)state;
	for (size_t i = 0; i < array_size(keys); i++) {
		assert_true(people_redis_key(keys[i][0], keys[i][1], keys[i][2], key) > 0);
		assert_int_equal(people_redis_put(redis, NULL, key, &person), 0);
	}
	people_finish(&person);
	assert_int_equal(people_cache_pattern("c", "a*", pattern), 0);
	assert_int_equal(redis_forget(redis, pattern, 20000, &removed, &err), 0);
	assert_int_equal(removed, 2);
	assert_int_equal(people_cache_pattern(NULL, "a*", pattern), 0);
	assert_int_equal(redis_forget(redis, pattern, 20000, &removed, &err), 0);
	assert_int_equal(removed, 1);
	server_expect("DBSIZE", "2");
	redis_free(redis);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_what_lies_there),
    cmocka_unit_test(test_others_find_it),
    cmocka_unit_test(test_older_never_replaces_newer),
    cmocka_unit_test(test_telling_clears),
    cmocka_unit_test(test_older_than_known_is_not_taken),
    cmocka_unit_test(test_who_was_never_seen_is_not_taken),
    cmocka_unit_test(test_garbage_is_replaced),
    cmocka_unit_test(test_a_hash_without_end),
    cmocka_unit_test(test_a_full_one),
    cmocka_unit_test(test_killed_and_started),
    cmocka_unit_test(test_frozen_and_thawed),
    cmocka_unit_test(test_forgotten_by_pattern),
};
RUN_TESTS(tests)
