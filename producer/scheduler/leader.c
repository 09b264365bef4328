#include "leader.h"

#include "base/clock.h"
#include "obs/log.h"

#define SIGNS_IN_A_LIFE 5

void leader_init(struct leader *leader, int64_t ttl_ms)
{
	*leader = (struct leader){.ttl_ms = ttl_ms};
	uuid_v7(leader->holder);
}

int64_t leader_pause_ms(const struct leader *leader)
{
	return leader->ttl_ms / SIGNS_IN_A_LIFE;
}

static void lead(struct leader *leader, int64_t until_ms)
{
	leader->until_ms = until_ms;
	if (!leader->is_leading)
		log_info(NULL, "this scheduler acts from now on", log_integer("token", (int64_t)leader->lock.token));
	leader->is_leading = true;
}

int leader_tick(struct leader *leader, struct store *store, struct error *err)
{
	int64_t now_ms = clock_monotonic_ms();
	struct schedule_lock lock;
	bool held;

	if (now_ms < leader->next_ms)
		return 0;
	leader->next_ms = now_ms + leader_pause_ms(leader);
	int r = schedules_lock(store, leader->holder, clock_unix_ms(), leader->ttl_ms, &lock, &held, err);
	if (r < 0)
		return r;
	if (!held) {
		leader_lose(leader);
		return 0;
	}
	/* Somebody had it in between: what was begun under the old token is not ours any more. */
	if (leader->is_leading && lock.token != leader->lock.token)
		leader_lose(leader);
	leader->lock = lock;
	/* Counted from before the store was asked. */
	lead(leader, now_ms + leader->ttl_ms);
	return 0;
}

bool leader_is_leading(struct leader *leader)
{
	if (leader->is_leading && clock_monotonic_ms() >= leader->until_ms)
		leader_lose(leader);
	return leader->is_leading;
}

void leader_lose(struct leader *leader)
{
	if (leader->is_leading)
		log_warning(NULL, "this scheduler acts no longer", log_integer("token", (int64_t)leader->lock.token));
	leader->is_leading = false;
}

void leader_resign(struct leader *leader, struct store *store)
{
	struct error err = {0};

	if (!leader_is_leading(leader))
		return;
	leader->is_leading = false;
	if (schedules_unlock(store, &leader->lock, &err) < 0)
		log_warning(NULL, "the lock was not given back", LOG_ERROR_FIELDS(&err));
}
