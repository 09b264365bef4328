#include "records.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "obs/log.h"
#include "store/tasks.h"

/* For a lock and for a statement; connecting may take twice as long. */
#define TIMEOUT_MS 1000
/* How long nobody asks after a failure. */
#define PAUSE_MS 5000

struct records {
	struct store_settings settings;
	pthread_mutex_t lock;
	struct store *store; /* NULL until it is needed */
	int64_t ask_from_ms; /* monotonic */
};

struct records *records_new(const struct store_settings *settings)
{
	struct records *records = calloc(1, sizeof(*records));

	if (!records)
		return NULL;
	records->settings = *settings;
	if (settings->timeout_ms == 0 || settings->timeout_ms > TIMEOUT_MS)
		records->settings.timeout_ms = TIMEOUT_MS;
	pthread_mutex_init(&records->lock, NULL);
	return records;
}

void records_free(struct records *records)
{
	if (!records)
		return;
	store_close(records->store);
	pthread_mutex_destroy(&records->lock);
	free(records);
}

struct search {
	const char *task_id;
	struct reply *reply;
	bool ended;
};

/* A task that ended without a reply that can be read is done again: nobody could be answered from it. */
static int take_reply(void *arg, const struct task_row *row, struct error *err)
{
	struct search *search = arg;
	const struct task_change *now = &row->now;

	(void)err;
	if (!now->reply || (now->state != TASK_SUCCEEDED && now->state != TASK_FINAL_FAILED) ||
	    reply_decode(search->reply, ENCODING_JSON, now->reply, now->reply_size, NULL) < 0)
		return 0;
	search->ended = strcmp(search->reply->task_id, search->task_id) == 0;
	if (!search->ended)
		reply_finish(search->reply);
	return 0;
}

static int ask(struct records *records, struct search *search, struct error *err)
{
	bool found;
	int r = records->store ? 0 : store_open(&records->store, &records->settings, err);

	return r < 0 ? r : tasks_find(records->store, search->task_id, take_reply, search, &found, err);
}

bool records_find(struct records *records, const char *task_id, struct reply *out)
{
	struct search search = {.task_id = task_id, .reply = out};
	struct error err = {0};

	pthread_mutex_lock(&records->lock);
	if (clock_monotonic_ms() >= records->ask_from_ms && ask(records, &search, &err) < 0) {
		log_warning(NULL, "the store cannot say whether a task has ended before; it is done again",
			    log_string("task_id", task_id), LOG_ERROR_FIELDS(&err));
		records->ask_from_ms = clock_monotonic_ms() + PAUSE_MS;
	}
	pthread_mutex_unlock(&records->lock);
	return search.ended;
}
