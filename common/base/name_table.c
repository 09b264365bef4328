#include "base/name_table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/hash.h"
#include "base/random.h"

/* The value comes first, then the name. */
struct place {
	LIST_ENTRY(place) chain;
	TAILQ_ENTRY(place) age;
	bool taken;
	max_align_t value[];
};

LIST_HEAD(place_chain, place);

struct name_table {
	uint64_t seed;
	size_t count;
	size_t name_size;
	size_t name_at; /* behind the value */
	struct place_chain *chains;
	char *places;
	TAILQ_HEAD(place_ages, place) ages; /* the longest unused first */
};

static size_t round_up(size_t size)
{
	return (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
}

static char *name_of(const struct name_table *table, struct place *place)
{
	return (char *)place->value + table->name_at;
}

struct name_table *name_table_new(size_t places, size_t name_size, size_t value_size)
{
	struct name_table *table = calloc(1, sizeof(*table));
	size_t place_size = sizeof(struct place) + round_up(value_size) + round_up(name_size);

	assert(places >= 1 && name_size >= 2);
	if (!table)
		return NULL;
	table->count = places;
	table->name_size = name_size;
	table->name_at = round_up(value_size);
	table->chains = calloc(places, sizeof(*table->chains));
	table->places = calloc(places, place_size);
	if (!table->chains || !table->places) {
		name_table_free(table);
		return NULL;
	}
	random_bytes(&table->seed, sizeof(table->seed));
	TAILQ_INIT(&table->ages);
	for (size_t i = 0; i < places; i++)
		TAILQ_INSERT_TAIL(&table->ages, (struct place *)(void *)(table->places + i * place_size), age);
	return table;
}

void name_table_free(struct name_table *table)
{
	if (!table)
		return;
	free(table->chains);
	free(table->places);
	free(table);
}

static struct place_chain *chain_of(struct name_table *table, const char *name, size_t length)
{
	return &table->chains[hash_bytes(table->seed, name, length) % table->count];
}

static struct place *find(struct name_table *table, const struct place_chain *chain, const char *name, size_t length)
{
	struct place *place;

	LIST_FOREACH(place, chain, chain)
	{
		const char *its = name_of(table, place);
		if (strncmp(its, name, length) == 0 && its[length] == '\0') {
			TAILQ_REMOVE(&table->ages, place, age);
			TAILQ_INSERT_TAIL(&table->ages, place, age);
			return place;
		}
	}
	return NULL;
}

void *name_table_find(struct name_table *table, const char *name)
{
	size_t length = strnlen(name, table->name_size - 1);
	struct place *place = find(table, chain_of(table, name, length), name, length);

	return place ? place->value : NULL;
}

void *name_table_get(struct name_table *table, const char *name, bool *is_new)
{
	size_t length = strnlen(name, table->name_size - 1);
	struct place_chain *chain = chain_of(table, name, length);
	struct place *place = find(table, chain, name, length);

	*is_new = !place;
	if (place)
		return place->value;
	place = TAILQ_FIRST(&table->ages);
	if (place->taken)
		LIST_REMOVE(place, chain);
	place->taken = true;
	memset(place->value, 0, table->name_at + table->name_size);
	memcpy(name_of(table, place), name, length);
	LIST_INSERT_HEAD(chain, place, chain);
	TAILQ_REMOVE(&table->ages, place, age);
	TAILQ_INSERT_TAIL(&table->ages, place, age);
	return place->value;
}

void name_table_each(struct name_table *table, void (*fn)(void *arg, const char *name, void *value), void *arg)
{
	struct place *place;

	TAILQ_FOREACH(place, &table->ages, age)
	{
		if (place->taken)
			fn(arg, name_of(table, place), place->value);
	}
}
