#include "http/schedule.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 256 /* of the hash table of origins */

struct schedule_origin {
	struct schedule_origin *next_in_slot;
	/* In the circle of origins that have something waiting and room to start it; NULL outside. */
	struct schedule_origin *previous_ready;
	struct schedule_origin *next_ready;
	struct schedule_entry *first;
	struct schedule_entry *last;
	unsigned running;
	size_t slot;
	char name[];
};

struct schedule {
	unsigned total;
	unsigned per_origin;
	unsigned running;
	struct schedule_origin *turn; /* the ready origin whose turn it is */
	struct schedule_origin *slots[SLOTS];
};

struct schedule *schedule_new(unsigned total, unsigned per_origin)
{
	struct schedule *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->total = total;
	s->per_origin = per_origin ? per_origin : UINT_MAX;
	return s;
}

void schedule_free(struct schedule *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		assert(!s->slots[i]);
	free(s);
}

/* FNV-1a */
static size_t slot_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash % SLOTS;
}

static struct schedule_origin *find_or_add_origin(struct schedule *s, const char *name)
{
	size_t slot = slot_of(name);
	struct schedule_origin *origin = s->slots[slot];

	while (origin && strcmp(origin->name, name) != 0)
		origin = origin->next_in_slot;
	if (origin)
		return origin;
	origin = calloc(1, sizeof(*origin) + strlen(name) + 1);
	if (!origin)
		return NULL;
	strcpy(origin->name, name);
	origin->slot = slot;
	origin->next_in_slot = s->slots[slot];
	s->slots[slot] = origin;
	return origin;
}

static void drop_origin(struct schedule *s, struct schedule_origin *origin)
{
	struct schedule_origin **link = &s->slots[origin->slot];

	while (*link != origin)
		link = &(*link)->next_in_slot;
	*link = origin->next_in_slot;
	free(origin);
}

static void enter_circle(struct schedule *s, struct schedule_origin *origin)
{
	if (!s->turn) {
		origin->previous_ready = origin->next_ready = s->turn = origin;
		return;
	}
	/* Behind everyone else. */
	origin->next_ready = s->turn;
	origin->previous_ready = s->turn->previous_ready;
	origin->previous_ready->next_ready = origin;
	s->turn->previous_ready = origin;
}

static void leave_circle(struct schedule *s, struct schedule_origin *origin)
{
	if (s->turn == origin)
		s->turn = origin->next_ready == origin ? NULL : origin->next_ready;
	origin->previous_ready->next_ready = origin->next_ready;
	origin->next_ready->previous_ready = origin->previous_ready;
	origin->previous_ready = origin->next_ready = NULL;
}

/* Brings circle and table in line after an origin's numbers changed; may free it. */
static void settle(struct schedule *s, struct schedule_origin *origin)
{
	bool ready = origin->first && origin->running < s->per_origin;

	if (ready && !origin->next_ready)
		enter_circle(s, origin);
	else if (!ready && origin->next_ready)
		leave_circle(s, origin);
	if (!origin->first && origin->running == 0)
		drop_origin(s, origin);
}

static void unlink_waiting(struct schedule_entry *entry)
{
	struct schedule_origin *origin = entry->origin;

	*(entry->previous ? &entry->previous->next : &origin->first) = entry->next;
	*(entry->next ? &entry->next->previous : &origin->last) = entry->previous;
	entry->previous = entry->next = NULL;
}

int schedule_add(struct schedule *s, struct schedule_entry *entry, const char *origin_name)
{
	struct schedule_origin *origin = find_or_add_origin(s, origin_name);

	assert(!entry->origin);
	if (!origin)
		return -ENOMEM;
	entry->origin = origin;
	entry->running = false;
	entry->next = NULL;
	entry->previous = origin->last;
	*(origin->last ? &origin->last->next : &origin->first) = entry;
	origin->last = entry;
	settle(s, origin);
	return 0;
}

struct schedule_entry *schedule_next(struct schedule *s)
{
	struct schedule_origin *origin = s->turn;

	if (!origin || s->running >= s->total)
		return NULL;
	struct schedule_entry *entry = origin->first;
	unlink_waiting(entry);
	entry->running = true;
	s->running++;
	origin->running++;
	s->turn = origin->next_ready;
	settle(s, origin);
	return entry;
}

void schedule_remove(struct schedule *s, struct schedule_entry *entry)
{
	struct schedule_origin *origin = entry->origin;

	if (!origin)
		return;
	if (entry->running) {
		s->running--;
		origin->running--;
	} else {
		unlink_waiting(entry);
	}
	entry->origin = NULL;
	settle(s, origin);
}
