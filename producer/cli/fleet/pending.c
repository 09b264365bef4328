#include "cli/fleet/pending.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct pending_table {
	size_t capacity;
	struct pending *all;
	struct pending *free;
	size_t bucket_count; /* a power of two */
	struct pending **buckets;
};

struct pending_table *pending_table_new(size_t capacity)
{
	struct pending_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->capacity = capacity;
	table->bucket_count = 16;
	while (table->bucket_count < capacity)
		table->bucket_count *= 2;
	table->all = calloc(capacity, sizeof(*table->all));
	table->buckets = calloc(table->bucket_count, sizeof(struct pending *));
	if (!table->all || !table->buckets) {
		pending_table_free(table);
		return NULL;
	}
	for (size_t i = capacity; i > 0; i--) {
		table->all[i - 1].next = table->free;
		table->free = &table->all[i - 1];
	}
	return table;
}

void pending_table_free(struct pending_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; table->all && i < table->capacity; i++)
		amqp_message_free(table->all[i].message);
	free(table->all);
	free(table->buckets);
	free(table);
}

struct pending *pending_take(struct pending_table *table)
{
	struct pending *pending = table->free;

	if (!pending)
		return NULL;
	table->free = pending->next;
	memset(pending, 0, sizeof(*pending));
	return pending;
}

void pending_give_back(struct pending_table *table, struct pending *pending)
{
	assert(!pending->awaited);
	amqp_message_free(pending->message);
	pending->message = NULL;
	pending->next = table->free;
	table->free = pending;
}

/* FNV-1a; the ids in the table are random and our own. */
static struct pending **bucket_of(struct pending_table *table, const char *task_id)
{
	uint32_t hash = 2166136261u;

	for (; *task_id; task_id++)
		hash = (hash ^ (unsigned char)*task_id) * 16777619u;
	return &table->buckets[hash & (table->bucket_count - 1)];
}

void pending_await(struct pending_table *table, struct pending *pending)
{
	struct pending **bucket = bucket_of(table, pending->task_id);

	assert(!pending->awaited);
	pending->awaited = true;
	pending->next = *bucket;
	*bucket = pending;
}

struct pending *pending_answer(struct pending_table *table, const char *task_id)
{
	for (struct pending **at = bucket_of(table, task_id); *at; at = &(*at)->next) {
		struct pending *found = *at;
		if (strcmp(found->task_id, task_id) != 0)
			continue;
		*at = found->next;
		found->awaited = false;
		return found;
	}
	return NULL;
}

struct pending *pending_overdue(struct pending_table *table, int64_t now_ms, size_t *cursor)
{
	while (*cursor < table->capacity) {
		struct pending *pending = &table->all[(*cursor)++];
		if (pending->awaited && pending->confirmed_ms > 0 &&
		    now_ms - pending->confirmed_ms > pending->patience_ms)
			return pending_answer(table, pending->task_id);
	}
	return NULL;
}
