#include "recent.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/hash.h"
#include "base/random.h"

struct entry {
	LIST_ENTRY(entry) in_bucket;
	TAILQ_ENTRY(entry) by_age;
	struct recent_task task;
	struct buffer reply;
};

LIST_HEAD(bucket, entry);

struct recent {
	pthread_mutex_t lock;
	uint64_t seed;
	unsigned max;
	unsigned count;
	unsigned bucket_count;
	TAILQ_HEAD(, entry) ages; /* oldest first */
	struct bucket *buckets;
};

int64_t recent_rank(enum task_state state, int attempt)
{
	static const int ranks[] = {[TASK_PENDING] = 0, [TASK_RUNNING] = 1, [TASK_FAILED] = 2, [TASK_RETRYING] = 3};

	if (state == TASK_SUCCEEDED || state == TASK_FINAL_FAILED)
		return INT64_MAX;
	return (int64_t)attempt * 4 + ranks[state];
}

bool recent_is_stale(const struct recent_task *task, int64_t now_ms)
{
	bool ended = recent_rank(task->state, task->attempt) == INT64_MAX;
	int64_t due_ms = ended || task->deadline_ms < task->updated_at_ms ? task->updated_at_ms : task->deadline_ms;

	return now_ms - due_ms > RECENT_STALE_MS;
}

struct recent *recent_new(unsigned max)
{
	struct recent *recent = calloc(1, sizeof(*recent));

	if (!recent)
		return NULL;
	recent->max = max;
	recent->bucket_count = max;
	recent->buckets = calloc(max, sizeof(*recent->buckets));
	if (!recent->buckets) {
		free(recent);
		return NULL;
	}
	random_bytes(&recent->seed, sizeof(recent->seed));
	TAILQ_INIT(&recent->ages);
	pthread_mutex_init(&recent->lock, NULL);
	return recent;
}

/* --- under the lock ----------------------------------------------------------------------------- */

static struct bucket *bucket_of(struct recent *recent, const char *task_id)
{
	return &recent->buckets[hash_bytes(recent->seed, task_id, strlen(task_id)) % recent->bucket_count];
}

static struct entry *find(struct recent *recent, const char *task_id)
{
	struct entry *entry;

	LIST_FOREACH(entry, bucket_of(recent, task_id), in_bucket)
	{
		if (strcmp(entry->task.task_id, task_id) == 0)
			return entry;
	}
	return NULL;
}

static void drop(struct recent *recent, struct entry *entry)
{
	LIST_REMOVE(entry, in_bucket);
	TAILQ_REMOVE(&recent->ages, entry, by_age);
	recent->count--;
	buffer_finish(&entry->reply);
	free(entry);
}

/* ---------------------------------------------------------------------------------------------------- */

void recent_free(struct recent *recent)
{
	if (!recent)
		return;
	while (!TAILQ_EMPTY(&recent->ages))
		drop(recent, TAILQ_FIRST(&recent->ages));
	pthread_mutex_destroy(&recent->lock);
	free(recent->buckets);
	free(recent);
}

void recent_add(struct recent *recent, const struct recent_task *task)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return;
	entry->task = *task;
	pthread_mutex_lock(&recent->lock);
	if (recent->count == recent->max)
		drop(recent, TAILQ_FIRST(&recent->ages));
	LIST_INSERT_HEAD(bucket_of(recent, task->task_id), entry, in_bucket);
	TAILQ_INSERT_TAIL(&recent->ages, entry, by_age);
	recent->count++;
	pthread_mutex_unlock(&recent->lock);
}

void recent_remove(struct recent *recent, const char *task_id)
{
	pthread_mutex_lock(&recent->lock);
	struct entry *entry = find(recent, task_id);
	if (entry)
		drop(recent, entry);
	pthread_mutex_unlock(&recent->lock);
}

/* Under the lock. */
static bool lists(const struct entry *entry, const char *user_id)
{
	struct reply reply;

	if (entry->task.op != JOB_SEARCH || entry->reply.size == 0 ||
	    reply_decode(&reply, ENCODING_JSON, entry->reply.data, entry->reply.size, NULL) < 0)
		return false;
	bool listed = reply_remove_candidate(&reply, user_id);
	reply_finish(&reply);
	return listed;
}

void recent_forget_person(struct recent *recent, const char *user_id, const char *collection)
{
	struct entry *next;

	pthread_mutex_lock(&recent->lock);
	for (struct entry *entry = TAILQ_FIRST(&recent->ages); entry; entry = next) {
		next = TAILQ_NEXT(entry, by_age);
		if (collection[0] != '\0' && strcmp(entry->task.collection, collection) != 0)
			continue;
		if (strcmp(entry->task.user_id, user_id) == 0 || lists(entry, user_id))
			drop(recent, entry);
	}
	pthread_mutex_unlock(&recent->lock);
}

/* Under the lock. */
static void update(struct entry *entry, enum task_state state, int attempt, int64_t at_ms, const struct buffer *reply)
{
	if (recent_rank(state, attempt) <= recent_rank(entry->task.state, entry->task.attempt))
		return;
	if (recent_rank(state, attempt) == INT64_MAX &&
	    (reply->size > RECENT_MAX_REPLY_BYTES || buffer_append(&entry->reply, reply->data, reply->size) != 0))
		return;
	entry->task.state = state;
	entry->task.attempt = attempt;
	entry->task.updated_at_ms = at_ms;
}

void recent_update(struct recent *recent, const char *task_id, enum task_state state, int attempt, int64_t at_ms,
		   const struct buffer *reply)
{
	pthread_mutex_lock(&recent->lock);
	struct entry *entry = find(recent, task_id);
	if (entry)
		update(entry, state, attempt, at_ms, reply);
	pthread_mutex_unlock(&recent->lock);
}

bool recent_find(struct recent *recent, const char *task_id, struct recent_task *out, struct buffer *reply)
{
	pthread_mutex_lock(&recent->lock);
	struct entry *entry = find(recent, task_id);
	bool found = entry && buffer_append(reply, entry->reply.data, entry->reply.size) == 0;
	if (found)
		*out = entry->task;
	pthread_mutex_unlock(&recent->lock);
	return found;
}
