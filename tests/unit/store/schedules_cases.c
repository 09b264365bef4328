#include "../run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedules_cases.h"
#include "store/schedules.h"
#include "store/store_private.h"

#define FIRST_DUE_MS 1000000
#define TTL_MS 5000

static struct store_settings settings = {.timeout_ms = 20000};
static struct store *store;

/* Every test begins with an empty table. */
static int set_up(void **state)
{
	(void)state;
	if (store_open(&store, &settings, NULL) < 0 ||
	    database_execute(store->database, "DELETE FROM schedules", NULL, 0, NULL) < 0)
		return -1;
	return database_execute(store->database, "UPDATE schedules_lock SET expires_ms = 0", NULL, 0, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

/* Fails with the text of what went wrong. */
static struct error err;
#define OK(call)                                                                                                       \
	do {                                                                                                           \
		if ((call) < 0)                                                                                        \
			fail_msg("%s", err.text);                                                                      \
	} while (0)

static const char *id_of(unsigned number)
{
	static char ids[8][UUID_SIZE];
	static unsigned turn;
	char *id = ids[turn++ % array_size(ids)];

	snprintf(id, UUID_SIZE, "00000000-0000-7000-8000-%012x", number);
	return id;
}

static struct schedule example(unsigned number)
{
	struct schedule s = {
	    .name = "nightly",
	    .owner = number % 2 ? "key1" : "",
	    .op = "verify",
	    .scene = "batch",
	    .user_id = "ann",
	    .collection = "staff",
	    .cron = "30 2 * * *",
	    .time_zone = "Europe/Berlin",
	    .misfire = MISFIRE_SKIP,
	    .due_ms = FIRST_DUE_MS + number,
	    .task_id = "",
	    .job = (const uint8_t *)"\x81\0job",
	    .job_size = 5,
	    .created_at_ms = 77,
	};

	strcpy(s.schedule_id, id_of(number));
	return s;
}

static void add(const struct schedule *schedule)
{
	bool inserted = false;

	OK(schedules_add(store, schedule, &inserted, &err));
	assert_true(inserted);
}

static void add_example(unsigned number)
{
	const struct schedule s = example(number);

	add(&s);
}

static uint64_t version(void)
{
	uint64_t out;

	OK(schedules_version(store, &out, &err));
	return out;
}

static uint64_t count(void)
{
	uint64_t out;

	OK(schedules_count(store, &out, &err));
	return out;
}

/* What was passed, as "number:due number:due". */
static int note(void *arg, const struct schedule *s, struct error *unused)
{
	char *text = arg;
	size_t length = strlen(text);

	(void)unused;
	assert_null(s->job);
	snprintf(text + length, 256 - length, "%s%ld:%ld", length ? " " : "", strtol(s->schedule_id + 24, NULL, 16),
		 (long)(s->due_ms - FIRST_DUE_MS));
	return 0;
}

/* Only what is not borrowed. */
static int copy(void *arg, const struct schedule *s, struct error *unused)
{
	struct schedule *out = arg;

	(void)unused;
	*out = (struct schedule){.due_ms = s->due_ms, .last_run_ms = s->last_run_ms};
	strcpy(out->task_id, s->task_id);
	return 0;
}

/* due_ms is -1 when there is none. */
static struct schedule find(unsigned number)
{
	struct schedule s = {.due_ms = -1};
	bool found;

	OK(schedules_find(store, id_of(number), copy, &s, &found, &err));
	assert_int_equal(found, s.due_ms != -1);
	return s;
}

static uint64_t lock_for(const char *holder, int64_t now_ms)
{
	struct schedule_lock lock;
	bool held;

	OK(schedules_lock(store, holder, now_ms, TTL_MS, &lock, &held, &err));
	assert_true(held);
	return lock.token;
}

static struct schedule_run run_of(unsigned number)
{
	struct schedule_run run = {.due_ms = FIRST_DUE_MS + number};

	strcpy(run.schedule_id, id_of(number));
	strcpy(run.task_id, id_of(100 + number));
	return run;
}

static int check_whole(void *arg, const struct schedule *s, struct error *unused)
{
	const struct schedule *e = arg;

	(void)unused;
	assert_string_equal(s->schedule_id, e->schedule_id);
	assert_string_equal(s->name, e->name);
	assert_string_equal(s->owner, e->owner);
	assert_string_equal(s->op, e->op);
	assert_string_equal(s->scene, e->scene);
	assert_string_equal(s->user_id, e->user_id);
	assert_string_equal(s->collection, e->collection);
	assert_string_equal(s->cron, e->cron);
	assert_string_equal(s->time_zone, e->time_zone);
	assert_int_equal(s->every_ms, e->every_ms);
	assert_int_equal(s->misfire, e->misfire);
	assert_int_equal(s->due_ms, e->due_ms);
	assert_string_equal(s->task_id, e->task_id);
	assert_int_equal(s->job_size, e->job_size);
	assert_memory_equal(s->job, e->job, e->job_size);
	assert_int_equal(s->created_at_ms, e->created_at_ms);
	assert_int_equal(s->last_run_ms, e->last_run_ms);
	return 0;
}

static void test_added_and_found(void **state)
{
	struct schedule s = example(1);
	bool inserted = true, found = false;
	uint64_t before = version();

	(void)state;
	add(&s);
	assert_int_equal(version(), before + 1);
	OK(schedules_find(store, s.schedule_id, check_whole, &s, &found, &err));
	assert_true(found);
	s.name = "another";
	OK(schedules_add(store, &s, &inserted, &err));
	assert_false(inserted);
	assert_int_equal(version(), before + 1);
	assert_int_equal(count(), 1);
	OK(schedules_find(store, id_of(2), check_whole, &s, &found, &err));
	assert_false(found);
}

static void test_without_a_job_is_refused(void **state)
{
	struct schedule s = example(1);
	bool inserted;

	(void)state;
	s.job = NULL;
	assert_true(schedules_add(store, &s, &inserted, &err) < 0);
	assert_int_equal(count(), 0);
}

static void test_removed(void **state)
{
	bool found = false;
	uint64_t before;

	(void)state;
	add_example(1);
	before = version();
	OK(schedules_remove(store, id_of(1), &found, &err));
	assert_true(found);
	assert_int_equal(version(), before + 1);
	OK(schedules_remove(store, id_of(1), &found, &err));
	assert_false(found);
	assert_int_equal(version(), before + 1);
}

static void test_listed_in_pages(void **state)
{
	char text[256] = "";

	(void)state;
	for (unsigned number = 5; number > 0; number--)
		add_example(number);
	OK(schedules_list(store, NULL, "", 2, note, text, &err));
	assert_string_equal(text, "1:1 2:2");
	text[0] = '\0';
	OK(schedules_list(store, NULL, id_of(2), 10, note, text, &err));
	assert_string_equal(text, "3:3 4:4 5:5");
	text[0] = '\0';
	OK(schedules_list(store, "key1", id_of(1), 10, note, text, &err));
	assert_string_equal(text, "3:3 5:5");
	text[0] = '\0';
	OK(schedules_list(store, "", "", 10, note, text, &err));
	assert_string_equal(text, "2:2 4:4");
}

static uint64_t count_of(const char *owner, uint64_t most)
{
	uint64_t out;

	OK(schedules_count_of(store, owner, most, &out, &err));
	return out;
}

static void test_counted_for_an_owner(void **state)
{
	(void)state;
	for (unsigned number = 5; number > 0; number--)
		add_example(number);
	assert_int_equal(count_of("key1", 100), 3);
	assert_int_equal(count_of("", 100), 2);
	assert_int_equal(count_of("key1", 2), 2);
	assert_int_equal(count_of("key2", 100), 0);
}

static void test_upcoming_are_the_soonest(void **state)
{
	char text[256] = "";

	(void)state;
	for (unsigned number = 5; number > 0; number--)
		add_example(number);
	OK(schedules_upcoming(store, FIRST_DUE_MS + 4, 10, note, text, &err));
	assert_string_equal(text, "1:1 2:2 3:3");
	text[0] = '\0';
	OK(schedules_upcoming(store, INT64_MAX, 2, note, text, &err));
	assert_string_equal(text, "1:1 2:2");
}

static void test_one_holds_the_lock(void **state)
{
	struct schedule_lock lock;
	uint64_t token = lock_for("a", 1000);
	bool held = true;

	(void)state;
	OK(schedules_lock(store, "b", 1000 + TTL_MS - 1, TTL_MS, &lock, &held, &err));
	assert_false(held);
	assert_string_equal(lock.holder, "a");
	/* Renewed, with the same token. */
	assert_int_equal(lock_for("a", 3000), token);
	OK(schedules_lock(store, "b", 1000 + TTL_MS, TTL_MS, &lock, &held, &err));
	assert_false(held);
	/* Expired. */
	assert_int_equal(lock_for("b", 3000 + TTL_MS), token + 1);
	OK(schedules_lock(store, "a", 3000 + TTL_MS, TTL_MS, &lock, &held, &err));
	assert_false(held);
	/* Given back: nobody waits. */
	OK(schedules_lock(store, "b", 3000 + TTL_MS, TTL_MS, &lock, &held, &err));
	OK(schedules_unlock(store, &lock, &err));
	assert_int_equal(lock_for("a", 3001 + TTL_MS), token + 2);
	/* What is not one's own cannot be given back. */
	OK(schedules_unlock(store, &lock, &err));
	OK(schedules_lock(store, "b", 3002 + TTL_MS, TTL_MS, &lock, &held, &err));
	assert_false(held);
}

static void test_claim_fixes_the_task(void **state)
{
	uint64_t token = lock_for("a", 1000);
	struct schedule_run runs[] = {run_of(1), run_of(2), run_of(3)};
	uint64_t before;
	bool held = false;

	(void)state;
	add_example(1);
	add_example(3);
	runs[2].due_ms++; /* moved on */
	before = version();
	OK(schedules_claim(store, token, runs, 3, &held, &err));
	assert_true(held);
	assert_true(runs[0].stands);
	assert_string_equal(runs[0].task_id, id_of(101));
	assert_false(runs[1].stands);
	assert_false(runs[2].stands);
	assert_string_equal(find(1).task_id, id_of(101));
	assert_string_equal(find(3).task_id, "");
	/* Who claims it again, after a crash, gets the same task. */
	strcpy(runs[0].task_id, id_of(999));
	OK(schedules_claim(store, token, runs, 1, &held, &err));
	assert_true(runs[0].stands);
	assert_string_equal(runs[0].task_id, id_of(101));
	assert_int_equal(version(), before);
}

static void test_an_old_token_does_nothing(void **state)
{
	uint64_t old = lock_for("a", 1000);
	uint64_t token = lock_for("b", 1000 + TTL_MS);
	struct schedule_run run = run_of(1);
	bool held = true;

	(void)state;
	add_example(1);
	OK(schedules_claim(store, old, &run, 1, &held, &err));
	assert_false(held);
	assert_string_equal(find(1).task_id, "");
	OK(schedules_claim(store, token, &run, 1, &held, &err));
	assert_true(held);
	OK(schedules_ran(store, old, &run, 1, &held, &err));
	assert_false(held);
	assert_int_equal(find(1).due_ms, FIRST_DUE_MS + 1);
}

static void test_moves_on(void **state)
{
	uint64_t token = lock_for("a", 1000);
	struct schedule_run runs[] = {run_of(1), run_of(2), run_of(3)};
	uint64_t before;
	bool held = false;

	(void)state;
	for (unsigned number = 1; number <= 3; number++)
		add_example(number);
	before = version();
	OK(schedules_claim(store, token, runs, 3, &held, &err));
	runs[0].next_due_ms = FIRST_DUE_MS + 500;
	runs[0].ran_at_ms = 4242;
	runs[1].ran_at_ms = 4242;                 /* the last one */
	runs[2].next_due_ms = FIRST_DUE_MS + 600; /* left out */
	OK(schedules_ran(store, token, runs, 3, &held, &err));
	assert_true(held && runs[0].stands && runs[1].stands && runs[2].stands);
	struct schedule s = find(1);
	assert_int_equal(s.due_ms, FIRST_DUE_MS + 500);
	assert_int_equal(s.last_run_ms, 4242);
	assert_string_equal(s.task_id, "");
	assert_int_equal(find(2).due_ms, -1);
	assert_int_equal(find(3).due_ms, FIRST_DUE_MS + 600);
	assert_int_equal(find(3).last_run_ms, 0);
	assert_int_equal(version(), before);
	/* Said twice, it counts once. */
	OK(schedules_ran(store, token, runs, 3, &held, &err));
	assert_true(held);
	assert_false(runs[0].stands || runs[1].stands || runs[2].stands);
}

static void test_run_now(void **state)
{
	uint64_t token = lock_for("a", 1000);
	struct schedule_run run = run_of(1);
	char task_id[UUID_SIZE];
	bool found = false, held;
	uint64_t before;

	(void)state;
	add_example(1);
	before = version();
	strcpy(task_id, id_of(200));
	OK(schedules_run_now(store, id_of(1), 500, task_id, &found, &err));
	assert_true(found);
	assert_string_equal(task_id, id_of(200));
	assert_int_equal(version(), before + 1);
	assert_int_equal(find(1).due_ms, 500);
	run.due_ms = 500;
	OK(schedules_claim(store, token, &run, 1, &held, &err));
	assert_string_equal(run.task_id, id_of(200));
	/* Again while it runs: it stays due, as the same task. */
	strcpy(task_id, id_of(201));
	OK(schedules_run_now(store, id_of(1), 600, task_id, &found, &err));
	assert_string_equal(task_id, id_of(200));
	run.next_due_ms = 9000;
	OK(schedules_ran(store, token, &run, 1, &held, &err));
	assert_true(held);
	assert_false(run.stands);
	assert_int_equal(find(1).due_ms, 600);
	OK(schedules_run_now(store, id_of(7), 600, task_id, &found, &err));
	assert_false(found);
}

static void test_erases_a_user(void **state)
{
	struct schedule other = example(4);
	struct schedule guest = example(5);
	uint64_t removed, before;

	(void)state;
	add_example(1);
	add_example(2);
	other.user_id = "ben";
	add(&other);
	guest.collection = "guests";
	add(&guest);
	before = version();
	OK(schedules_erase_user(store, "staff", "ann", &removed, &err));
	assert_int_equal(removed, 2);
	assert_int_equal(version(), before + 1);
	OK(schedules_erase_user(store, NULL, "ann", &removed, &err));
	assert_int_equal(removed, 1);
	OK(schedules_erase_user(store, NULL, "ann", &removed, &err));
	assert_int_equal(removed, 0);
	assert_int_equal(count(), 1);
}

/* Who was given each token; tokens of the test count from `first_token`. */
#define TURNS 40
static uint64_t first_token;
static const char *_Atomic holders[2 * TURNS + 1];

/* Takes the lock whenever it is free, by a clock that makes it expire after each turn. Returns whether a token was
 * given to two. */
static void *contend(void *arg)
{
	struct store *own;
	bool twice = false;

	if (store_open(&own, &settings, NULL) < 0)
		return (void *)1;
	for (unsigned i = 0; i < TURNS && !twice; i++) {
		const char *nobody = NULL;
		struct schedule_lock lock;
		bool held;

		if (schedules_lock(own, arg, (int64_t)(i + 1) * 2 * TTL_MS, TTL_MS, &lock, &held, NULL) < 0)
			twice = true;
		else if (held && lock.token - first_token >= array_size(holders))
			twice = true;
		else if (held)
			twice = !atomic_compare_exchange_strong(&holders[lock.token - first_token], &nobody,
								(const char *)arg) &&
				nobody != arg;
	}
	store_close(own);
	return (void *)(uintptr_t)twice;
}

static void test_no_token_for_two(void **state)
{
	pthread_t threads[2];
	void *bad;

	(void)state;
	first_token = lock_for("c", 0);
	assert_int_equal(pthread_create(&threads[0], NULL, contend, (void *)"a"), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, contend, (void *)"b"), 0);
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	assert_true(lock_for("c", INT64_C(100) * TURNS * TTL_MS) > first_token);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int schedules_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_added_and_found),
	    CASE(test_without_a_job_is_refused),
	    CASE(test_removed),
	    CASE(test_listed_in_pages),
	    CASE(test_counted_for_an_owner),
	    CASE(test_upcoming_are_the_soonest),
	    CASE(test_one_holds_the_lock),
	    CASE(test_claim_fixes_the_task),
	    CASE(test_an_old_token_does_nothing),
	    CASE(test_moves_on),
	    CASE(test_run_now),
	    CASE(test_erases_a_user),
	    CASE(test_no_token_for_two),
	};

	settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (store_migrate(&settings, NULL, NULL, NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
