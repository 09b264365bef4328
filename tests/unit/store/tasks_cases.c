#include "tasks_cases.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_private.h"
#include "tasks_rig.h"

static void test_life_of_a_task(void **state)
{
	char id[UUID_SIZE];
	struct task task;
	struct log log;

	(void)state;
	uuid_v7(id);
	assert_false(find(id, &task));
	const struct task_change pending = {.task_id = id,
					    .state = TASK_PENDING,
					    .attempt = 1,
					    .at_ms = 11,
					    .op = "verify",
					    .scene = "realtime",
					    .user_id = user,
					    .reference = "it's \"\\ {NULL,\xc3\xa4}",
					    .owner = owner,
					    .accepted_at_ms = 10,
					    .deadline_ms = 310};
	assert_int_equal(apply(&pending, 1), 1);
	assert_true(find(id, &task));
	assert_int_equal(task.state, TASK_PENDING);
	assert_int_equal(task.at_ms, 11);
	assert_string_equal(task.worker, "");
	assert_string_equal(task.reference, "it's \"\\ {NULL,\xc3\xa4}");
	assert_int_equal(task.finished_ms, 0);
	assert_int_equal(task.reply_size, 0);

	const struct task_change running = {
	    .task_id = id, .state = TASK_RUNNING, .attempt = 1, .at_ms = 12, .worker = "w-1", .op = "match"};
	assert_int_equal(apply(&running, 1), 1);
	const struct task_change failed = {.task_id = id,
					   .state = TASK_FINAL_FAILED,
					   .attempt = 1,
					   .at_ms = 13,
					   .worker = "w-2",
					   .error_code = "no_face",
					   .error_text = "nobody there",
					   .collection = "c",
					   .reply = (const uint8_t *)"{\0\xff}",
					   .reply_size = 4};
	int64_t before_ms = clock_unix_ms();
	assert_int_equal(apply(&failed, 1), 1);
	assert_int_equal(apply(&failed, 1), 0);
	assert_true(find(id, &task));
	assert_int_equal(task.state, TASK_FINAL_FAILED);
	assert_string_equal(task.worker, "w-2");
	assert_string_equal(task.error_code, "no_face");
	assert_string_equal(task.error_text, "nobody there");
	assert_string_equal(task.op, "verify"); /* who said it first */
	assert_string_equal(task.collection, "c");
	assert_int_equal(task.accepted_ms, 10);
	assert_int_equal(task.deadline_ms, 310);
	assert_true(task.finished_ms >= before_ms && task.updated_ms == task.finished_ms);
	assert_int_equal(task.reply_size, 4);
	assert_memory_equal(task.reply, "{\0\xff}", 4);

	log = history(id);
	assert_int_equal(log.count, 3);
	check_counts();
}

static void test_late_news_only_fill_gaps(void **state)
{
	char id[UUID_SIZE];
	struct task before, after;

	(void)state;
	uuid_v7(id);
	const struct task_change done = {
	    .task_id = id, .state = TASK_SUCCEEDED, .attempt = 2, .at_ms = 20, .scene = "batch"};
	const struct task_change pending = {.task_id = id,
					    .state = TASK_PENDING,
					    .attempt = 1,
					    .at_ms = 10,
					    .scene = "realtime",
					    .owner = owner,
					    .deadline_ms = 99};
	assert_int_equal(apply(&done, 1), 1);
	assert_true(find(id, &before));
	assert_int_equal(apply(&pending, 1), 0);
	assert_true(find(id, &after));
	assert_string_equal(after.owner, owner);
	assert_int_equal(after.deadline_ms, 99);
	before.deadline_ms = 99;
	snprintf(before.owner, sizeof(before.owner), "%s", owner);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(history(id).count, 1);
	check_counts();
}

static void test_the_first_terminal_state_stays(void **state)
{
	char id[UUID_SIZE];

	(void)state;
	uuid_v7(id);
	assert_true(say(id, TASK_FINAL_FAILED, 1));
	assert_false(say(id, TASK_SUCCEEDED, 2));
	assert_false(say(id, TASK_RUNNING, 3));
	assert_int_equal(history(id).count, 1);
	check_counts();
}

static void shuffle(struct task_change *changes, unsigned count, unsigned *seed)
{
	for (unsigned i = count - 1; i > 0; i--) {
		unsigned other = (unsigned)rand_r(seed) % (i + 1);
		struct task_change change = changes[i];

		changes[i] = changes[other];
		changes[other] = change;
	}
}

/* In whatever order, cut into whatever batches, and with every message twice, a task ends the same. */
static void test_any_order_ends_the_same(void **state)
{
	static const struct {
		enum task_state state;
		int attempt;
	} life[] = {{TASK_PENDING, 1},  {TASK_RUNNING, 1}, {TASK_FAILED, 1},
		    {TASK_RETRYING, 1}, {TASK_RUNNING, 2}, {TASK_SUCCEEDED, 2}};
	const unsigned length = array_size(life);
	unsigned seed = 20240229;

	(void)state;
	for (unsigned round = 0; round < 120; round++) {
		/* Every other round its end is not known yet. */
		unsigned said = length - round % 2;
		struct task_change changes[2 * array_size(life)];
		unsigned accepted = 0;
		char id[UUID_SIZE];
		struct task task;

		uuid_v7(id);
		for (unsigned i = 0; i < 2 * said; i++)
			changes[i] = (struct task_change){.task_id = id,
							  .state = life[i % said].state,
							  .attempt = life[i % said].attempt,
							  .at_ms = 1000 + i % said,
							  .owner = i % said == 0 ? owner : "",
							  .accepted_at_ms = 900};
		shuffle(changes, 2 * said, &seed);
		for (unsigned done = 0; done < 2 * said;) {
			unsigned batch = 1 + (unsigned)rand_r(&seed) % (2 * said - done);

			accepted += apply(changes + done, batch);
			done += batch;
		}
		assert_true(find(id, &task));
		assert_int_equal(task.state, life[said - 1].state);
		assert_int_equal(task.attempt, life[said - 1].attempt);
		assert_int_equal(task.at_ms, 1000 + said - 1);
		assert_string_equal(task.owner, owner);
		assert_int_equal(history(id).count, accepted);
		assert_int_equal(apply(changes, 2 * said), 0);
		assert_int_equal(history(id).count, accepted);
	}
	check_counts();
}

#define MANY 700

/* More tasks than one statement can name, each with several changes. */
static void test_a_large_batch(void **state)
{
	static char ids[MANY][UUID_SIZE];
	static struct task_change changes[3 * MANY];
	struct task task;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		uuid_v7(ids[i]);
		for (unsigned j = 0; j < 3; j++)
			changes[j * MANY + i] = (struct task_change){
			    .task_id = ids[i], .state = (enum task_state)j, .attempt = 1, .at_ms = j};
	}
	assert_int_equal(apply(changes, 2 * MANY), 2 * MANY);
	assert_int_equal(apply(changes, 3 * MANY), MANY);
	for (unsigned i = 0; i < MANY; i += 99) {
		assert_true(find(ids[i], &task));
		assert_int_equal(task.state, TASK_SUCCEEDED);
		assert_int_equal(history(ids[i]).count, 3);
	}
	check_counts();
}

/* Nothing of a batch stays when it fails. */
static void test_all_or_none(void **state)
{
	char ids[2][UUID_SIZE];
	struct error err = {0};
	struct task task;

	(void)state;
	uuid_v7(ids[0]);
	uuid_v7(ids[1]);
	const struct task_change changes[] = {{.task_id = ids[0], .state = TASK_PENDING, .attempt = 1},
					      {.task_id = ids[1], .state = TASK_PENDING, .attempt = 1}};
	assert_int_equal(database_execute(store->database, "ALTER TABLE tasks RENAME TO hidden", NULL, 0, &err), 0);
	assert_true(tasks_apply(store, changes, 2, NULL, &err) < 0);
	assert_int_equal(err.code, ERROR_INTERNAL);
	assert_int_equal(database_execute(store->database, "ALTER TABLE hidden RENAME TO tasks", NULL, 0, &err), 0);
	assert_false(find(ids[0], &task));
	assert_int_equal(history(ids[0]).count, 0);
	assert_int_equal(apply(changes, 2), 2);
	check_counts();
}

/* --- several at once --- */

#define WRITERS 3
#define SHARED 40

struct writer {
	pthread_t thread;
	unsigned number;
	char (*ids)[UUID_SIZE];
	unsigned accepted;
	int result;
};

static void *write_tasks(void *arg)
{
	struct writer *writer = arg;
	unsigned seed = writer->number;
	struct store *own;

	writer->result = store_open(&own, &rig_settings, NULL);
	if (writer->result < 0)
		return NULL;
	for (unsigned round = 0; round < 20 && writer->result == 0; round++) {
		struct task_change changes[32];
		bool accepted[32];

		for (unsigned i = 0; i < 32; i++)
			changes[i] = (struct task_change){.task_id = writer->ids[(unsigned)rand_r(&seed) % SHARED],
							  .state = (enum task_state)((unsigned)rand_r(&seed) % 6),
							  .attempt = 1 + rand_r(&seed) % 3};
		writer->result = tasks_apply(own, changes, 32, accepted, NULL);
		for (unsigned i = 0; i < 32 && writer->result == 0; i++)
			writer->accepted += accepted[i];
	}
	store_close(own);
	return NULL;
}

static void test_writers_at_once(void **state)
{
	static char ids[SHARED][UUID_SIZE];
	struct writer writers[WRITERS];
	unsigned accepted = 0;
	unsigned lines = 0;

	(void)state;
	for (unsigned i = 0; i < SHARED; i++)
		uuid_v7(ids[i]);
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.number = i + 1, .ids = ids};
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_tasks, &writers[i]), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		assert_int_equal(writers[i].result, 0);
		accepted += writers[i].accepted;
	}
	for (unsigned i = 0; i < SHARED; i++)
		lines += history(ids[i]).count;
	assert_int_equal(lines, accepted);
	check_counts();
}

int tasks_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    TASKS_CASE(test_life_of_a_task),
	    TASKS_CASE(test_late_news_only_fill_gaps),
	    TASKS_CASE(test_the_first_terminal_state_stays),
	    TASKS_CASE(test_any_order_ends_the_same),
	    TASKS_CASE(test_a_large_batch),
	    TASKS_CASE(test_all_or_none),
	    TASKS_CASE(test_writers_at_once),
	};

	rig_settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rig_migrate, NULL);
}
