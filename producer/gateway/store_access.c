#include "store_access.h"

#include "base/clock.h"
#include "gateway_private.h"
#include "obs/log.h"
#include "problems.h"

/* Between lines of the log about a store that fails requests, however many there are. */
#define STORE_LOG_MS 1000

int store_access_open(struct gateway *gateway, struct store **store, struct error *err)
{
	if (*store)
		return 0;
	if (!gateway->has_store)
		return error_set(err, ERROR_STORE_UNAVAILABLE, "store.url is empty: there is no store");
	return store_open(store, &gateway->store, err);
}

void store_access_log(struct gateway *gateway, const struct error *err)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms < atomic_load(&gateway->store_logged_ms) + STORE_LOG_MS)
		return;
	atomic_store(&gateway->store_logged_ms, now_ms);
	log_warning(NULL, "the store failed a request", LOG_ERROR_FIELDS(err));
}

void store_access_refuse(struct gateway *gateway, struct visit *visit, const struct error *err)
{
	store_access_log(gateway, err);
	visit_refuse_as(visit, &problem_store_unavailable, "", 1);
}
