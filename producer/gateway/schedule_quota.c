#include "gateway/schedule_quota.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/name_table.h"
#include "store/keys.h"
#include "store/schedules.h"

struct tally {
	uint64_t count;
	int64_t until_ms; /* when it is to be counted again */
};

struct schedule_quota {
	pthread_mutex_t lock;
	struct name_table *tallies;
};

struct schedule_quota *schedule_quota_new(size_t max_owners)
{
	struct schedule_quota *quota = calloc(1, sizeof(*quota));

	if (!quota)
		return NULL;
	quota->tallies = name_table_new(max_owners, KEYS_ID_SIZE, sizeof(struct tally));
	if (!quota->tallies) {
		free(quota);
		return NULL;
	}
	pthread_mutex_init(&quota->lock, NULL);
	return quota;
}

void schedule_quota_free(struct schedule_quota *quota)
{
	if (!quota)
		return;
	pthread_mutex_destroy(&quota->lock);
	name_table_free(quota->tallies);
	free(quota);
}

/* Under the lock. */
static bool take(struct tally *tally, uint64_t max)
{
	if (tally->count >= max)
		return false;
	tally->count++;
	return true;
}

/* False: it has to be counted. */
static bool take_from_memory(struct schedule_quota *quota, const char *owner, uint64_t max, int64_t now_ms,
			     bool *allowed)
{
	pthread_mutex_lock(&quota->lock);
	struct tally *tally = name_table_find(quota->tallies, owner);
	bool known = tally && now_ms < tally->until_ms;
	if (known)
		*allowed = take(tally, max);
	pthread_mutex_unlock(&quota->lock);
	return known;
}

int schedule_quota_take(struct schedule_quota *quota, struct store *store, const char *owner, uint64_t max,
			int64_t now_ms, bool *allowed, struct error *err)
{
	uint64_t count = 0;
	bool is_new;

	if (max == 0) {
		*allowed = true;
		return 0;
	}
	if (take_from_memory(quota, owner, max, now_ms, allowed))
		return 0;
	int r = schedules_count_of(store, owner, max, &count, err);
	if (r < 0)
		return r;
	pthread_mutex_lock(&quota->lock);
	struct tally *tally = name_table_get(quota->tallies, owner, &is_new);
	*tally = (struct tally){.count = count, .until_ms = now_ms + SCHEDULE_QUOTA_FRESH_MS};
	*allowed = take(tally, max);
	pthread_mutex_unlock(&quota->lock);
	return 0;
}
