/* Replies that stay while somebody whom they list goes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "job/job.h"
#include "obs/log.h"
#include "store/tasks_private.h"

#define STEP 256

struct person {
	const char *collection; /* NULL: of any */
	const char *user_id;
};

/* Reads a reply without the person; `listed` says whether they were in it. reply_finish() it unless it failed. */
static int read_without(const struct person *person, const struct database_row *row, unsigned column,
			struct reply *reply, bool *listed, struct error *err)
{
	size_t size;
	const uint8_t *body = database_row_bytes(row, column, &size);
	int r = reply_decode(reply, ENCODING_JSON, body, size, err);

	if (r < 0)
		return r;
	bool here =
	    !person->collection || reply->collection[0] == '\0' || strcmp(reply->collection, person->collection) == 0;
	*listed = here && reply_remove_candidate(reply, person->user_id);
	return 0;
}

/* --- which --- */

struct choice {
	const struct person *person;
	struct tasks_step last; /* that was looked at */
	int seen;
	unsigned chosen;
	char ids[STEP][UUID_SIZE];
};

static int choose_reply(struct choice *choice, const struct database_row *row, struct error *err)
{
	struct error why = {0};
	struct reply reply;
	bool listed;
	int r = read_without(choice->person, row, 2, &reply, &listed, &why);

	if (r == -EBADMSG) {
		log_error(NULL, "a kept reply cannot be read and stays as it is",
			  log_string("task_id", choice->last.task_id), LOG_ERROR_FIELDS(&why));
		return 0;
	}
	if (r < 0)
		return error_set(err, why.code, "%s", why.text);
	if (listed)
		memcpy(choice->ids[choice->chosen++], choice->last.task_id, UUID_SIZE);
	reply_finish(&reply);
	return 0;
}

/* Columns: finished, task_id, reply. */
static int choose_task(void *arg, const struct database_row *row, struct error *err)
{
	struct choice *choice = arg;

	choice->seen++;
	choice->last.finished_at_ms = database_row_integer(row, 0);
	snprintf(choice->last.task_id, UUID_SIZE, "%s", database_row_text(row, 1));
	return database_row_is_null(row, 2) ? 0 : choose_reply(choice, row, err);
}

/*
 * The database lets through whatever may list the person: replies with the id as it is, and those with a backslash, in
 * which it may be spelled in another way.
 */
static int choose(struct store *store, const struct tasks_step *step, struct choice *choice, struct error *err)
{
	const char *user_id = choice->person->user_id;
	const struct database_value values[] = {
	    database_integer(step->finished_at_ms),   database_text(step->task_id), database_integer(STEP),
	    database_bytes(user_id, strlen(user_id)), database_bytes("\\", 1),
	};

	return database_read(
	    store->database,
	    &(struct database_statement){
		.sql = "SELECT finished, task_id,"
		       " CASE WHEN \"position\"(reply, $4) > 0 OR \"position\"(reply, $5) > 0 THEN reply END FROM tasks"
		       " WHERE finished > 0 AND (finished, task_id) > ($1, $2) ORDER BY finished, task_id LIMIT $3",
		.values = values,
		.value_count = array_size(values),
		.fn = choose_task,
		.arg = choice},
	    err);
}

/* --- and rid of the person --- */

struct change {
	const struct person *person;
	bool listed;
	struct buffer reply;
};

static int write_without(void *arg, const struct database_row *row, struct error *err)
{
	struct change *change = arg;
	struct reply reply;
	int r = read_without(change->person, row, 0, &reply, &change->listed, err);

	if (r < 0)
		return r;
	if (change->listed && reply_encode(&reply, ENCODING_JSON, &change->reply) < 0)
		r = error_set(err, ERROR_INTERNAL, "no memory for a reply");
	reply_finish(&reply);
	return r;
}

static int put_reply(struct store *store, const char *task_id, const struct buffer *reply, struct error *err)
{
	const struct database_value values[] = {database_text(task_id), database_bytes(reply->data, reply->size)};

	return database_execute(store->database, "UPDATE tasks SET reply = $2 WHERE task_id = $1", values,
				array_size(values), err);
}

/* Read again under the lock: somebody else may be taking another person out. */
static int change_reply(struct store *store, struct change *change, const char *task_id, struct error *err)
{
	const struct database_value id = database_text(task_id);
	int r = tasks_lock(store, err);

	if (r == 0)
		r = database_run(store->database,
				 &(struct database_statement){
				     .sql = "SELECT reply FROM tasks WHERE task_id = $1 AND reply IS NOT NULL",
				     .values = &id,
				     .value_count = 1,
				     .fn = write_without,
				     .arg = change},
				 err);
	if (r == 0 && change->listed)
		r = put_reply(store, task_id, &change->reply, err);
	return tasks_end(store, r, err);
}

int tasks_erase_candidate(struct store *store, const char *collection, const char *user_id, struct tasks_step *step,
			  unsigned *changed, struct error *err)
{
	const struct person person = {collection, user_id};
	struct choice choice = {.person = &person};

	*changed = 0;
	if (user_id[0] == '\0' || strlen(user_id) > JOB_MAX_USER_BYTES)
		return 0;
	int r = choose(store, step, &choice, err);
	for (unsigned i = 0; r == 0 && i < choice.chosen; i++) {
		struct change change = {.person = &person};

		r = change_reply(store, &change, choice.ids[i], err);
		*changed += r == 0 && change.listed;
		buffer_finish(&change.reply);
	}
	if (r < 0)
		return r;
	if (choice.seen > 0)
		*step = choice.last;
	return choice.seen;
}
