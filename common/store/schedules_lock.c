/* Which scheduler acts. */
#include <string.h>

#include "store/schedules_private.h"

static int note_lock(void *arg, const struct database_row *row, struct error *err)
{
	struct schedule_lock *lock = arg;

	(void)err;
	strncpy(lock->holder, database_row_text(row, 0), UUID_SIZE - 1);
	lock->holder[UUID_SIZE - 1] = '\0';
	lock->token = (uint64_t)database_row_integer(row, 1);
	lock->expires_ms = database_row_integer(row, 2);
	return 0;
}

static int take(struct store *store, const char *holder, int64_t now_ms, int64_t ttl_ms, struct schedule_lock *lock,
		struct error *err)
{
	const struct database_value values[] = {database_text(holder), database_integer(now_ms),
						database_integer(now_ms + ttl_ms)};

	return database_run(
	    store->database,
	    &(struct database_statement){.sql = "UPDATE schedules_lock SET"
						" token = CASE WHEN holder = $1 THEN token ELSE token + 1 END,"
						" holder = $1, expires_ms = $3 WHERE holder = $1 OR expires_ms <= $2"
						" RETURNING holder, token, expires_ms",
					 .values = values,
					 .value_count = array_size(values),
					 .fn = note_lock,
					 .arg = lock},
	    err);
}

static struct database_statement select_lock(struct schedule_lock *lock)
{
	return (struct database_statement){
	    .sql = "SELECT holder, token, expires_ms FROM schedules_lock", .fn = note_lock, .arg = lock};
}

/* Whoever waits for the lock only looks at it, so that it writes nothing meanwhile. */
static bool is_takable(const struct schedule_lock *lock, const char *holder, int64_t now_ms)
{
	return strcmp(lock->holder, holder) == 0 || lock->expires_ms <= now_ms;
}

int schedules_lock(struct store *store, const char *holder, int64_t now_ms, int64_t ttl_ms, struct schedule_lock *lock,
		   bool *held, struct error *err)
{
	struct schedule_lock seen = {0};
	const struct database_statement look = select_lock(&seen);
	int r = database_read(store->database, &look, err);

	if (r == 0 && is_takable(&seen, holder, now_ms)) {
		struct schedule_lock taken = {0};

		r = database_begin(store->database, true, err);
		if (r == 0)
			r = take(store, holder, now_ms, ttl_ms, &taken, err);
		r = schedules_end(store, taken.holder[0] != '\0', r, err);
		if (r == 0 && taken.holder[0] != '\0')
			seen = taken;
		else if (r == 0) /* another was faster */
			r = database_read(store->database, &look, err);
	}
	if (r < 0)
		return r;
	*lock = seen;
	*held = strcmp(seen.holder, holder) == 0 && seen.expires_ms > now_ms;
	return 0;
}

int schedules_unlock(struct store *store, const struct schedule_lock *lock, struct error *err)
{
	const struct database_value values[] = {database_text(lock->holder), database_integer((int64_t)lock->token)};
	int r = database_begin(store->database, true, err);

	if (r == 0)
		r = database_execute(store->database,
				     "UPDATE schedules_lock SET expires_ms = 0 WHERE holder = $1 AND token = $2",
				     values, array_size(values), err);
	return schedules_end(store, true, r, err);
}
