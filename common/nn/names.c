#include "nn/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct nn_name {
	const char *name; /* NULL: free slot */
	uint32_t value;
};

/* FNV-1a, 32 bit (Fowler, Noll, Vo). */
static uint32_t hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

static struct nn_name *slot_of(const struct nn_names *names, const char *name)
{
	uint32_t mask = names->capacity - 1;
	uint32_t at = hash(name) & mask;

	while (names->slots[at].name && strcmp(names->slots[at].name, name) != 0)
		at = (at + 1) & mask;
	return &names->slots[at];
}

static int grow(struct nn_names *names)
{
	struct nn_names larger = {.capacity = names->capacity ? 2 * names->capacity : 128, .count = names->count};

	larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < names->capacity; i++) {
		if (names->slots[i].name)
			*slot_of(&larger, names->slots[i].name) = names->slots[i];
	}
	free(names->slots);
	*names = larger;
	return 0;
}

int nn_names_add(struct nn_names *names, const char *name, uint32_t value)
{
	if (2 * (names->count + 1) > names->capacity && grow(names) < 0)
		return -ENOMEM;
	struct nn_name *slot = slot_of(names, name);
	if (slot->name)
		return -EEXIST;
	*slot = (struct nn_name){name, value};
	names->count++;
	return 0;
}

uint32_t nn_names_find(const struct nn_names *names, const char *name)
{
	const struct nn_name *slot = names->capacity ? slot_of(names, name) : NULL;

	return slot && slot->name ? slot->value : UINT32_MAX;
}

void nn_names_finish(struct nn_names *names)
{
	free(names->slots);
	*names = (struct nn_names){0};
}
