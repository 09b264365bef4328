#include "cache/people_untold.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct people_untold {
	pthread_mutex_t lock;
	unsigned max;
	unsigned count;
	struct people_change changes[];
};

struct people_untold *people_untold_new(unsigned max)
{
	struct people_untold *u = calloc(1, sizeof(*u) + max * sizeof(u->changes[0]));

	if (!u)
		return NULL;
	u->max = max;
	pthread_mutex_init(&u->lock, NULL);
	return u;
}

void people_untold_free(struct people_untold *u)
{
	if (!u)
		return;
	for (unsigned i = 0; i < u->count; i++)
		free(u->changes[i].key);
	pthread_mutex_destroy(&u->lock);
	free(u);
}

/* There are few, and seldom any. */
static struct people_change shift(struct people_untold *u)
{
	struct people_change first = u->changes[0];

	memmove(&u->changes[0], &u->changes[1], --u->count * sizeof(u->changes[0]));
	return first;
}

static bool add(struct people_untold *u, const char *key, uint64_t version)
{
	bool lost = false;

	for (unsigned i = 0; i < u->count; i++) {
		if (strcmp(u->changes[i].key, key) != 0)
			continue;
		if (u->changes[i].version < version)
			u->changes[i].version = version;
		return true;
	}
	char *copy = strdup(key);
	if (!copy)
		return false;
	if (u->count == u->max) {
		free(shift(u).key);
		lost = true;
	}
	u->changes[u->count++] = (struct people_change){copy, version};
	return !lost;
}

bool people_untold_add(struct people_untold *u, const char *key, uint64_t version)
{
	pthread_mutex_lock(&u->lock);
	bool kept = add(u, key, version);
	pthread_mutex_unlock(&u->lock);
	return kept;
}

bool people_untold_take(struct people_untold *u, struct people_change *out)
{
	pthread_mutex_lock(&u->lock);
	bool any = u->count > 0;
	if (any)
		*out = shift(u);
	pthread_mutex_unlock(&u->lock);
	return any;
}

unsigned people_untold_count(struct people_untold *u)
{
	pthread_mutex_lock(&u->lock);
	unsigned count = u->count;
	pthread_mutex_unlock(&u->lock);
	return count;
}
