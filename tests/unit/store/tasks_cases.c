#include "../run.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "store/store_private.h"
#include "store/tasks.h"
#include "store/tasks_state.h"
#include "tasks_cases.h"

static struct store_settings settings = {.timeout_ms = 20000};
static struct store *store;

/* Every test has an owner and a user of its own. */
static char owner[32];
static char user[32];

static int set_up(void **state)
{
	static unsigned number;

	(void)state;
	snprintf(owner, sizeof(owner), "owner-%u", number);
	snprintf(user, sizeof(user), "user-%u", number++);
	return store_open(&store, &settings, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static unsigned apply(struct store *to, const struct task_change *changes, unsigned count)
{
	struct error err = {0};
	bool *accepted = calloc(count, sizeof(*accepted));
	unsigned sum = 0;

	assert_non_null(accepted);
	if (tasks_apply(to, changes, count, accepted, &err) < 0)
		fail_msg("%s", err.text);
	for (unsigned i = 0; i < count; i++)
		sum += accepted[i];
	free(accepted);
	return sum;
}

static bool say(const char *id, enum task_state state, int attempt)
{
	const struct task_change change = {
	    .task_id = id, .state = state, .attempt = attempt, .at_ms = 1000 + attempt, .owner = owner};

	return apply(store, &change, 1) == 1;
}

/* --- reading it back --- */

struct task {
	enum task_state state;
	int attempt;
	int64_t at_ms, updated_ms, finished_ms, next_attempt_ms, accepted_ms, deadline_ms;
	char worker[64], error_code[64], error_text[64], op[16], scene[32], user_id[64], collection[64], reference[64],
	    owner[64];
	char reply[64];
	size_t reply_size;
};

static void copy(char *to, const char *from)
{
	snprintf(to, 64, "%.63s", from);
}

static int keep_task(void *arg, const struct task_row *row, struct error *err)
{
	struct task *task = arg;
	const struct task_change *now = &row->now;

	(void)err;
	memset(task, 0, sizeof(*task));
	task->state = now->state;
	task->attempt = now->attempt;
	task->at_ms = now->at_ms;
	task->next_attempt_ms = now->next_attempt_at_ms;
	task->accepted_ms = now->accepted_at_ms;
	task->deadline_ms = now->deadline_ms;
	task->updated_ms = row->updated_at_ms;
	task->finished_ms = row->finished_at_ms;
	copy(task->worker, now->worker);
	copy(task->error_code, now->error_code);
	copy(task->error_text, now->error_text);
	snprintf(task->op, sizeof(task->op), "%s", now->op);
	snprintf(task->scene, sizeof(task->scene), "%s", now->scene);
	copy(task->user_id, now->user_id);
	copy(task->collection, now->collection);
	copy(task->reference, now->reference);
	copy(task->owner, now->owner);
	if (now->reply)
		memcpy(task->reply, now->reply, now->reply_size);
	task->reply_size = now->reply_size;
	return 0;
}

static bool find(const char *id, struct task *task)
{
	struct error err = {0};
	bool found = false;

	if (tasks_find(store, id, keep_task, task, &found, &err) < 0)
		fail_msg("%s", err.text);
	return found;
}

struct log {
	unsigned count;
	enum task_state state[32];
	int attempt[32];
};

static int keep_line(void *arg, const struct task_transition *line, struct error *err)
{
	struct log *log = arg;

	(void)err;
	assert_in_range(log->count, 0, 31);
	log->state[log->count] = line->state;
	log->attempt[log->count++] = line->attempt;
	return 0;
}

/* The log, which only ever leads forward, to the state the task has. */
static struct log history(const char *id)
{
	struct log log = {0};
	struct task task;

	assert_int_equal(tasks_history(store, id, keep_line, &log, NULL), 0);
	for (unsigned i = 1; i < log.count; i++)
		assert_true(
		    task_state_leads_forward(log.state[i - 1], log.attempt[i - 1], log.state[i], log.attempt[i]));
	if (find(id, &task)) {
		assert_int_equal(log.state[log.count - 1], task.state);
		assert_int_equal(log.attempt[log.count - 1], task.attempt);
	}
	return log;
}

struct tally {
	uint64_t counted[TASK_FINAL_FAILED + 1];
};

static int note_tally(void *arg, const struct database_row *row, struct error *err)
{
	struct tally *tally = arg;
	enum task_state state;

	(void)err;
	assert_int_equal(task_state_from_name(database_row_text(row, 0), &state), 0);
	tally->counted[state] = (uint64_t)database_row_integer(row, 1);
	return 0;
}

/* The counts that are kept are those of the tasks, and every line of the log is a transition of one. */
static void check_counts(void)
{
	uint64_t counts[TASK_FINAL_FAILED + 1];
	struct tally tally = {0};
	struct tally lines = {0};

	assert_int_equal(tasks_count(store, counts, NULL), 0);
	assert_int_equal(
	    database_read(store->database,
			  &(struct database_statement){.sql = "SELECT state, COUNT(*) FROM tasks GROUP BY state",
						       .fn = note_tally,
						       .arg = &tally},
			  NULL),
	    0);
	assert_memory_equal(counts, tally.counted, sizeof(counts));
	assert_int_equal(
	    database_read(store->database,
			  &(struct database_statement){
			      .sql = "SELECT 'pending', (SELECT COUNT(*) FROM task_log)"
				     " - CAST((SELECT COALESCE(SUM(transitions), 0) FROM tasks) AS BIGINT)",
			      .fn = note_tally,
			      .arg = &lines},
			  NULL),
	    0);
	assert_int_equal(lines.counted[TASK_PENDING], 0);
}

/* --- the tests --- */

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
	assert_int_equal(apply(store, &pending, 1), 1);
	assert_true(find(id, &task));
	assert_int_equal(task.state, TASK_PENDING);
	assert_int_equal(task.at_ms, 11);
	assert_string_equal(task.worker, "");
	assert_string_equal(task.reference, "it's \"\\ {NULL,\xc3\xa4}");
	assert_int_equal(task.finished_ms, 0);
	assert_int_equal(task.reply_size, 0);

	const struct task_change running = {
	    .task_id = id, .state = TASK_RUNNING, .attempt = 1, .at_ms = 12, .worker = "w-1", .op = "match"};
	assert_int_equal(apply(store, &running, 1), 1);
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
	assert_int_equal(apply(store, &failed, 1), 1);
	assert_int_equal(apply(store, &failed, 1), 0);
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
	assert_int_equal(apply(store, &done, 1), 1);
	assert_true(find(id, &before));
	assert_int_equal(apply(store, &pending, 1), 0);
	assert_true(find(id, &after));
	assert_string_equal(after.owner, owner);
	assert_int_equal(after.deadline_ms, 99);
	before.deadline_ms = 99;
	copy(before.owner, owner);
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

			accepted += apply(store, changes + done, batch);
			done += batch;
		}
		assert_true(find(id, &task));
		assert_int_equal(task.state, life[said - 1].state);
		assert_int_equal(task.attempt, life[said - 1].attempt);
		assert_int_equal(task.at_ms, 1000 + said - 1);
		assert_string_equal(task.owner, owner);
		assert_int_equal(history(id).count, accepted);
		assert_int_equal(apply(store, changes, 2 * said), 0);
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
	assert_int_equal(apply(store, changes, 2 * MANY), 2 * MANY);
	assert_int_equal(apply(store, changes, 3 * MANY), MANY);
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
	assert_int_equal(apply(store, changes, 2), 2);
	check_counts();
}

/* --- lists --- */

struct list {
	unsigned count;
	char ids[16][UUID_SIZE];
};

static int keep_id(void *arg, const struct task_row *row, struct error *err)
{
	struct list *list = arg;

	(void)err;
	assert_null(row->now.reply);
	assert_in_range(list->count, 0, 15);
	snprintf(list->ids[list->count++], UUID_SIZE, "%s", row->now.task_id);
	return 0;
}

static struct list list_all(const struct tasks_filter *filter)
{
	struct tasks_cursor cursor = {0};
	struct list list = {0};
	struct error err = {0};
	int r;

	while ((r = tasks_list(store, filter, &cursor, 2, keep_id, &list, &err)) > 0)
		assert_true(r <= 2);
	if (r < 0)
		fail_msg("%s", err.text);
	return list;
}

static void test_lists(void **state)
{
	char ids[5][UUID_SIZE];
	struct list list;

	(void)state;
	uuid_v7(ids[0]);
	for (unsigned i = 0; i < 5; i++) {
		/* Of one moment, and yet in order. */
		memcpy(ids[i], ids[0], UUID_SIZE);
		ids[i][UUID_SIZE - 2] = (char)('0' + i);
		const struct task_change change = {.task_id = ids[i],
						   .state = i == 4 ? TASK_SUCCEEDED : TASK_RUNNING,
						   .attempt = 1,
						   .scene = i % 2 == 0 ? "batch" : "realtime",
						   .user_id = i < 3 ? user : "somebody",
						   .owner = owner,
						   .reply = (const uint8_t *)"{}",
						   .reply_size = 2,
						   .accepted_at_ms = i < 2 ? 100 : 100 + i};
		assert_int_equal(apply(store, &change, 1), 1);
	}
	list = list_all(&(struct tasks_filter){.owner = owner});
	assert_int_equal(list.count, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_string_equal(list.ids[i], ids[4 - i]);
	list = list_all(&(struct tasks_filter){.owner = owner, .scene = "realtime"});
	assert_int_equal(list.count, 2);
	assert_string_equal(list.ids[1], ids[1]);
	list = list_all(&(struct tasks_filter){.owner = "", .user_id = user});
	assert_int_equal(list.count, 3);
	list = list_all(&(struct tasks_filter){.owner = owner, .has_state = true, .state = TASK_SUCCEEDED});
	assert_int_equal(list.count, 1);
	assert_string_equal(list.ids[0], ids[4]);
	list = list_all(&(struct tasks_filter){.owner = owner, .since_ms = 102, .until_ms = 104});
	assert_int_equal(list.count, 2);
	assert_string_equal(list.ids[0], ids[3]);
	assert_int_equal(list_all(&(struct tasks_filter){.owner = "nobody"}).count, 0);
	assert_true(list_all(&(struct tasks_filter){.has_state = true, .state = TASK_RUNNING, .owner = owner}).count ==
		    4);
}

static bool contains(const struct list *list, const char *id)
{
	for (unsigned i = 0; i < list->count; i++) {
		if (strcmp(list->ids[i], id) == 0)
			return true;
	}
	return false;
}

/* Deadlines before all others', so that these are the first of the database. */
static void test_overdue(void **state)
{
	char ids[4][UUID_SIZE];
	struct list list = {0};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uuid_v7(ids[i]);
		const struct task_change change = {.task_id = ids[i],
						   .state = i == 2 ? TASK_SUCCEEDED : TASK_PENDING,
						   .attempt = 1,
						   .deadline_ms = i == 3 ? 0 : 9 - i};
		assert_int_equal(apply(store, &change, 1), 1);
	}
	assert_int_equal(tasks_overdue(store, 9, 10, keep_id, &list, NULL), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.ids[0], ids[1]);
	list.count = 0;
	assert_int_equal(tasks_overdue(store, 10, 10, keep_id, &list, NULL), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.ids[1], ids[0]);
	list.count = 0;
	assert_int_equal(tasks_overdue(store, 10, 1, keep_id, &list, NULL), 0);
	assert_int_equal(list.count, 1);
	assert_true(say(ids[0], TASK_FINAL_FAILED, 1) && say(ids[1], TASK_FINAL_FAILED, 1));
	list.count = 0;
	assert_int_equal(tasks_overdue(store, 10, 10, keep_id, &list, NULL), 0);
	assert_int_equal(list.count, 0);
}

static void test_stuck(void **state)
{
	char id[UUID_SIZE];
	int64_t before_ms = clock_unix_ms();
	struct list list = {0};

	(void)state;
	assert_int_equal(
	    database_execute(store->database, "UPDATE tasks SET updated = 0 WHERE state = 'running'", NULL, 0, NULL),
	    0);
	uuid_v7(id);
	assert_true(say(id, TASK_RUNNING, 1));
	assert_int_equal(tasks_stuck(store, before_ms, 10, keep_id, &list, NULL), 0);
	assert_false(contains(&list, id));
	assert_int_equal(database_execute(store->database,
					  "UPDATE tasks SET updated = -1 WHERE updated > 0 AND state = 'running'", NULL,
					  0, NULL),
			 0);
	list.count = 0;
	assert_int_equal(tasks_stuck(store, before_ms, 10, keep_id, &list, NULL), 0);
	assert_string_equal(list.ids[0], id);
}

/* --- going --- */

static void test_purge(void **state)
{
	char ids[4][UUID_SIZE];
	struct task task;
	unsigned removed;
	struct error err = {0};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uuid_v7(ids[i]);
		assert_true(say(ids[i], TASK_RUNNING, 1));
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(say(ids[i], TASK_SUCCEEDED, 1));
	const struct database_value mine = database_text(owner);
	assert_int_equal(database_execute(store->database,
					  "UPDATE tasks SET finished = 5 WHERE owner = $1 AND finished > 0", &mine, 1,
					  &err),
			 0);
	assert_int_equal(tasks_purge(store, 5, 10, &removed, &err), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(tasks_purge(store, 6, 2, &removed, &err), 0);
	assert_int_equal(removed, 2);
	check_counts();
	assert_int_equal(tasks_purge(store, 6, 2, &removed, &err), 0);
	assert_int_equal(removed, 1);
	assert_false(find(ids[0], &task));
	assert_int_equal(history(ids[0]).count, 0);
	assert_true(find(ids[3], &task));
	check_counts();
}

static void say_user(const char *collection, const char *user_id, char id[UUID_SIZE])
{
	uuid_v7(id);
	const struct task_change change = {
	    .task_id = id, .state = TASK_SUCCEEDED, .attempt = 1, .user_id = user_id, .collection = collection};
	assert_int_equal(apply(store, &change, 1), 1);
}

static void test_erase(void **state)
{
	char a[UUID_SIZE], b[UUID_SIZE], unknown[UUID_SIZE], other[UUID_SIZE], nobody[UUID_SIZE];
	struct task task;
	uint64_t removed;

	(void)state;
	say_user("a", user, a);
	say_user("b", user, b);
	say_user("", user, unknown);
	say_user("a", "another", other);
	say_user("a", "", nobody);
	assert_int_equal(tasks_erase_user(store, "a", user, &removed, NULL), 0);
	assert_int_equal(removed, 2);
	assert_false(find(a, &task) || find(unknown, &task));
	assert_int_equal(history(a).count, 0);
	assert_true(find(b, &task) && find(other, &task));
	assert_int_equal(tasks_erase_user(store, NULL, user, &removed, NULL), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(tasks_erase_user(store, NULL, "", &removed, NULL), 0);
	assert_int_equal(removed, 0);
	assert_true(find(other, &task) && find(nobody, &task));
	check_counts();
}

/* --- deliveries --- */

struct deliveries {
	unsigned count;
	struct delivery_report reports[TASKS_MAX_DELIVERIES];
};

static int keep_delivery(void *arg, const struct delivery_report *report, struct error *err)
{
	struct deliveries *kept = arg;

	(void)err;
	assert_in_range(kept->count, 0, TASKS_MAX_DELIVERIES - 1);
	kept->reports[kept->count++] = *report;
	return 0;
}

static const struct deliveries *deliveries_of(const char *id)
{
	static struct deliveries kept;
	struct error err = {0};

	kept.count = 0;
	if (tasks_deliveries(store, id, keep_delivery, &kept, &err) < 0)
		fail_msg("%s", err.text);
	return &kept;
}

static struct delivery_report report_of(const char *id, int attempt)
{
	struct delivery_report report = {.at_ms = 1000 + attempt,
					 .attempt = attempt,
					 .outcome = DELIVERY_OUTCOME_RETRYING,
					 .origin = "https://it's.example:443",
					 .http_status = 503,
					 .error = "HTTP 503 \"{\xc3\xa4,NULL}",
					 .duration_us = 1500,
					 .next_attempt_at_ms = 2000};

	memcpy(report.task_id, id, UUID_SIZE);
	return report;
}

static void record(const struct delivery_report *report)
{
	const struct tasks_news news = {.deliveries = &report, .delivery_count = 1};
	struct error err = {0};

	if (tasks_record(store, &news, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* Together with changes or alone, in any order, twice or once; the task may come later. */
static void test_deliveries_are_recorded_once(void **state)
{
	char id[UUID_SIZE];
	struct task task;
	struct error err = {0};

	(void)state;
	uuid_v7(id);
	struct delivery_report first = report_of(id, 1);
	struct delivery_report last = {
	    .at_ms = 5000, .attempt = 2, .outcome = DELIVERY_OUTCOME_PARKED, .duration_us = -1};
	memcpy(last.task_id, id, UUID_SIZE);
	const struct delivery_report *both[] = {&last, &first, &last};
	const struct task_change done = {.task_id = id, .state = TASK_SUCCEEDED, .attempt = 1, .owner = owner};
	bool accepted = false;

	record(&last);
	assert_false(find(id, &task));
	assert_int_equal(deliveries_of(id)->count, 1);
	const struct tasks_news news = {&done, 1, both, 3};
	if (tasks_record(store, &news, &accepted, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(accepted && find(id, &task));
	record(&first);

	const struct deliveries *kept = deliveries_of(id);
	assert_int_equal(kept->count, 2);
	assert_string_equal(kept->reports[0].task_id, id);
	assert_int_equal(kept->reports[0].at_ms, 1001);
	assert_int_equal(kept->reports[0].outcome, DELIVERY_OUTCOME_RETRYING);
	assert_string_equal(kept->reports[0].origin, first.origin);
	assert_int_equal(kept->reports[0].http_status, 503);
	assert_string_equal(kept->reports[0].error, first.error);
	assert_int_equal(kept->reports[0].duration_us, 1500);
	assert_int_equal(kept->reports[0].next_attempt_at_ms, 2000);
	assert_int_equal(kept->reports[1].outcome, DELIVERY_OUTCOME_PARKED);
	assert_string_equal(kept->reports[1].origin, "");
	assert_int_equal(kept->reports[1].duration_us, -1);
	assert_int_equal(history(id).count, 1);
	check_counts();
}

/* Nothing of a batch stays when its deliveries cannot be recorded. */
static void test_deliveries_and_changes_are_one(void **state)
{
	char id[UUID_SIZE];
	struct task task;
	struct error err = {0};

	(void)state;
	uuid_v7(id);
	struct delivery_report report = report_of(id, 1);
	const struct delivery_report *reports[] = {&report};
	const struct task_change done = {.task_id = id, .state = TASK_SUCCEEDED, .attempt = 1};
	const struct tasks_news news = {&done, 1, reports, 1};

	assert_int_equal(
	    database_execute(store->database, "ALTER TABLE task_deliveries RENAME TO hidden", NULL, 0, &err), 0);
	assert_true(tasks_record(store, &news, NULL, &err) < 0);
	assert_int_equal(
	    database_execute(store->database, "ALTER TABLE hidden RENAME TO task_deliveries", NULL, 0, &err), 0);
	assert_false(find(id, &task));
	check_counts();
}

static void test_many_deliveries(void **state)
{
	static struct delivery_report reports[TASKS_MAX_DELIVERIES + 10];
	const struct delivery_report *pointers[array_size(reports)];
	const struct tasks_news news = {.deliveries = pointers, .delivery_count = array_size(reports)};
	char id[UUID_SIZE];

	(void)state;
	uuid_v7(id);
	for (unsigned i = 0; i < array_size(reports); i++) {
		reports[i] = report_of(id, (int)i);
		pointers[i] = &reports[i];
	}
	assert_int_equal(tasks_record(store, &news, NULL, NULL), 0);
	const struct deliveries *kept = deliveries_of(id);
	assert_int_equal(kept->count, TASKS_MAX_DELIVERIES);
	assert_int_equal(kept->reports[0].attempt, 10);
	assert_int_equal(kept->reports[TASKS_MAX_DELIVERIES - 1].attempt, array_size(reports) - 1);
}

static void test_deliveries_go_with_their_task(void **state)
{
	char erased[UUID_SIZE], old[UUID_SIZE], other[UUID_SIZE];
	struct delivery_report report;
	const char *const ids[] = {erased, old, other};
	uint64_t removed;
	unsigned purged;

	(void)state;
	say_user("a", user, erased);
	say_user("a", "somebody", old);
	say_user("a", "another", other);
	for (unsigned i = 0; i < array_size(ids); i++) {
		report = report_of(ids[i], 1);
		record(&report);
	}
	assert_int_equal(tasks_erase_user(store, NULL, user, &removed, NULL), 0);
	assert_int_equal(deliveries_of(erased)->count, 0);
	const struct database_value id = database_text(old);
	assert_int_equal(
	    database_execute(store->database, "UPDATE tasks SET finished = 5 WHERE task_id = $1", &id, 1, NULL), 0);
	assert_int_equal(tasks_purge(store, 6, 10, &purged, NULL), 0);
	assert_int_equal(purged, 1);
	assert_int_equal(deliveries_of(old)->count, 0);
	assert_int_equal(deliveries_of(other)->count, 1);
	check_counts();
}

/* One that came after its task had gone, or before it, is kept for as long as a task would be. */
static void test_deliveries_without_a_task_go_too(void **state)
{
	char lone[UUID_SIZE], of_task[UUID_SIZE];
	struct delivery_report report;

	(void)state;
	uuid_v7(lone);
	report = report_of(lone, 1);
	record(&report);
	say_user("a", user, of_task);
	report = report_of(of_task, 1);
	record(&report);

	assert_int_equal(tasks_purge_deliveries(store, clock_unix_ms() - 3600 * 1000, 10, NULL), 0);
	assert_int_equal(deliveries_of(lone)->count, 1);
	const struct database_value id = database_text(lone);
	assert_int_equal(database_execute(store->database, "UPDATE task_deliveries SET recorded = 5 WHERE task_id = $1",
					  &id, 1, NULL),
			 0);
	assert_int_equal(tasks_purge_deliveries(store, 5, 10, NULL), 0);
	assert_int_equal(deliveries_of(lone)->count, 1);
	assert_int_equal(tasks_purge_deliveries(store, 6, 10, NULL), 0);
	assert_int_equal(deliveries_of(lone)->count, 0);
	assert_int_equal(deliveries_of(of_task)->count, 1);
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

	writer->result = store_open(&own, &settings, NULL);
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

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static int migrate(void **state)
{
	(void)state;
	return store_migrate(&settings, NULL, NULL, NULL);
}

int tasks_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_life_of_a_task),
	    CASE(test_late_news_only_fill_gaps),
	    CASE(test_the_first_terminal_state_stays),
	    CASE(test_any_order_ends_the_same),
	    CASE(test_a_large_batch),
	    CASE(test_all_or_none),
	    CASE(test_lists),
	    CASE(test_overdue),
	    CASE(test_purge),
	    CASE(test_erase),
	    CASE(test_deliveries_are_recorded_once),
	    CASE(test_deliveries_and_changes_are_one),
	    CASE(test_many_deliveries),
	    CASE(test_deliveries_go_with_their_task),
	    CASE(test_deliveries_without_a_task_go_too),
	    CASE(test_writers_at_once),
	    CASE(test_stuck),
	};

	settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, migrate, NULL);
}
