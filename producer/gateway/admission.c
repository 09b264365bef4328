#include "admission.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gateway_private.h"
#include "problems.h"
#include "schedule_quota.h"
#include "store_access.h"

/* Keys, addresses and requests remembered at most. */
#define MAX_KEYS 10000
#define MAX_STRANGERS 100000

/* How often an address may have a key looked up in the store that does not exist. */
static const struct rate guesses = {.per_second = 5, .burst = 50};

/* What somebody without a key may do, where nobody needs one. */
#define ANONYMOUS_SCOPES (KEY_MATCH | KEY_ENROLL | KEY_SCHEDULE)

/* --- making --------------------------------------------------------------------------------------- */

/* True if nobody but this host can come: 127.0.0.0/8, ::1 or localhost. */
static bool is_loopback(const char *listen)
{
	return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "[::1]:", 6) == 0 ||
	       strncmp(listen, "localhost:", 10) == 0;
}

static int count_key(void *arg, const struct api_key *key, struct error *err)
{
	unsigned *count = arg;

	(void)err;
	*count += key->revoked_at_ms == 0;
	return 0;
}

static int refuse_strangers(const char *listen, const char *why, struct error *err)
{
	return error_set(
	    err, ERROR_CONFIG,
	    "gateway.listen %.60s can be reached from other hosts, and %s: make a key with `facefleet keys create`, "
	    "listen on 127.0.0.1, or set gateway.allow_anonymous",
	    listen, why);
}

/* A gateway that nobody may use is a mistake, too; one whose store is away at the moment is not. */
static int check_keys(struct gateway *gateway, const char *listen, struct error *err)
{
	struct error ignored;
	struct store *store;
	unsigned count = 0;

	if (!gateway->has_store)
		return refuse_strangers(listen, "there is no store for API keys", err);
	if (store_open(&store, &gateway->store, &ignored) != 0)
		return 0;
	int r = keys_list(store, count_key, &count, &ignored);
	store_close(store);
	return r == 0 && count == 0 ? refuse_strangers(listen, "there are no API keys", err) : 0;
}

int admission_init(struct gateway *gateway, struct error *err)
{
	const char *listen = config_string(gateway->config, OPTION_GATEWAY_LISTEN);
	const char *allow = config_string(gateway->config, OPTION_GATEWAY_ALLOW_ANONYMOUS);

	gateway->allows_anonymous = strcmp(allow, "true") == 0 || (strcmp(allow, "auto") == 0 && is_loopback(listen));
	if (!gateway->allows_anonymous && !is_loopback(listen)) {
		int r = check_keys(gateway, listen, err);
		if (r != 0)
			return r;
	}
	gateway->keyring = keyring_new(MAX_KEYS);
	gateway->keys_limit = rate_limit_new(MAX_KEYS);
	gateway->strangers_limit = rate_limit_new(MAX_STRANGERS);
	gateway->guesses_limit = rate_limit_new(MAX_STRANGERS);
	gateway->guard = idempotency_guard_new((size_t)config_integer(gateway->config, OPTION_GATEWAY_MAX_WAITING));
	gateway->schedule_quota = schedule_quota_new(MAX_KEYS);
	if (!gateway->keyring || !gateway->keys_limit || !gateway->strangers_limit || !gateway->guesses_limit ||
	    !gateway->guard || !gateway->schedule_quota)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	return 0;
}

void admission_finish(struct gateway *gateway)
{
	keyring_free(gateway->keyring);
	rate_limit_free(gateway->keys_limit);
	rate_limit_free(gateway->strangers_limit);
	rate_limit_free(gateway->guesses_limit);
	idempotency_guard_free(gateway->guard);
	schedule_quota_free(gateway->schedule_quota);
}

static int64_t whole_seconds(int64_t ms)
{
	return (ms + 999) / 1000;
}

/* --- who is it -------------------------------------------------------------------------------------- */

static bool refuse_unauthorized(struct http_problem *problem, const char *detail)
{
	http_problem_init(problem, &problem_unauthorized, "%s", detail);
	problem->authenticate = "Bearer";
	return false;
}

static bool refuse_kind(const struct gateway *gateway, enum credentials_kind kind, struct http_problem *problem)
{
	if (kind == CREDENTIALS_BAD)
		return refuse_unauthorized(problem, "the API key is malformed");
	if (kind == CREDENTIALS_NONE && !gateway->allows_anonymous)
		return refuse_unauthorized(problem, "send it as Authorization: Bearer, or X-API-Key");
	return true;
}

/* Whoever showed too many keys that are none gets no further with one that was never seen: not to the store, and no
 * body is read. */
static bool check_guesses(struct gateway *gateway, const struct credentials *credentials, const char *address,
			  struct http_problem *problem)
{
	struct rate_verdict verdict;

	rate_limit_look(gateway->guesses_limit, address, &guesses, clock_monotonic_ms(), &verdict);
	if (verdict.allowed || keyring_has_met(gateway->keyring, credentials))
		return true;
	http_problem_init(problem, &problem_rate_limited, "too many keys that are not valid came from this address");
	problem->retry_after_s = (int)whole_seconds(verdict.retry_after_ms);
	return false;
}

bool admission_glance(void *arg, struct http_call *call, struct http_problem *problem)
{
	struct gateway *gateway = arg;
	char address[RATE_LIMIT_NAME_SIZE] = "";
	struct credentials credentials;
	struct api_key key;

	if (http_call_route(call)->always)
		return true;
	enum credentials_kind kind =
	    keyring_read(http_call_header(call, "Authorization"), http_call_header(call, "X-API-Key"), &credentials);
	if (!refuse_kind(gateway, kind, problem))
		return false;
	if (kind != CREDENTIALS_KEY)
		return true;
	switch (keyring_know(gateway->keyring, &credentials, clock_monotonic_ms(), &key)) {
	case KEYRING_VALID:
		return true;
	case KEYRING_INVALID:
		return refuse_unauthorized(problem, "the API key is not valid");
	case KEYRING_ASK:
		if (http_call_address(call))
			rate_limit_name_address(http_call_address(call), address);
		return check_guesses(gateway, &credentials, address, problem);
	}
	return true;
}

static bool refuse_store(struct gateway *gateway, struct http_problem *problem, const struct error *err)
{
	store_access_log(gateway, err);
	http_problem_init(problem, &problem_store_unavailable, "%s", "");
	problem->retry_after_s = 1;
	return false;
}

/* Whose key it is; asks the store where that is needed. */
static bool find_key(struct gateway *gateway, struct visit *visit, struct store **store, struct api_key *key,
		     struct http_problem *problem)
{
	int64_t now_ms = clock_monotonic_ms();
	enum keyring_verdict verdict = keyring_know(gateway->keyring, &visit->credentials, now_ms, key);
	struct rate_verdict guess;
	struct error err;

	if (verdict == KEYRING_ASK) {
		if (!check_guesses(gateway, &visit->credentials, visit->address, problem))
			return false;
		int r = store_access_open(gateway, store, &err);
		if (r == 0)
			r = keyring_ask(gateway->keyring, *store, &visit->credentials, now_ms, &verdict, key, &err);
		if (r < 0)
			return refuse_store(gateway, problem, &err);
		if (verdict != KEYRING_VALID)
			rate_limit_take(gateway->guesses_limit, visit->address, &guesses, now_ms, &guess);
	}
	if (verdict != KEYRING_VALID)
		return refuse_unauthorized(problem, "the API key is not valid");
	return true;
}

static void fill_visitor(struct visitor *visitor, const struct api_key *key)
{
	snprintf(visitor->owner, sizeof(visitor->owner), "%s", key->id);
	visitor->scopes = key->scopes;
	visitor->sees_all = keyring_allows(key, KEY_READ_ALL);
	visitor->collections = key->collections;
}

/* --- how often -------------------------------------------------------------------------------------- */

static void note_number(struct http_call *call, const char *name, int64_t number)
{
	char text[HTTP_NOTE_SIZE];

	snprintf(text, sizeof(text), "%" PRId64, number);
	http_call_note(call, name, text);
}

/* In the three headers of the IETF's drafts up to 06: what proxies send and clients read. The single structured field
 * of the later ones still changes. */
static void note_rate(struct http_call *call, const struct rate_verdict *verdict)
{
	note_number(call, "RateLimit-Limit", verdict->limit);
	note_number(call, "RateLimit-Remaining", verdict->remaining);
	note_number(call, "RateLimit-Reset", whole_seconds(verdict->reset_ms));
}

static bool check_rate(struct gateway *gateway, struct http_call *call, struct rate_limit *limit, const char *name,
		       const struct api_key *key, struct http_problem *problem)
{
	struct rate rate = {
	    .per_second = key->rate > 0 ? key->rate : atomic_load(&gateway->rate),
	    .burst = key->burst >= 1 ? key->burst : atomic_load(&gateway->burst),
	};
	struct rate_verdict verdict;

	if (rate.per_second <= 0)
		return true;
	rate_limit_take(limit, name, &rate, clock_monotonic_ms(), &verdict);
	note_rate(call, &verdict);
	if (verdict.allowed)
		return true;
	http_problem_init(problem, &problem_rate_limited, "%g a second are allowed, %u at once", rate.per_second,
			  verdict.limit);
	problem->retry_after_s = (int)whole_seconds(verdict.retry_after_ms);
	return false;
}

static bool check(struct gateway *gateway, struct visit *visit, struct store **store, struct http_problem *problem)
{
	struct api_key key = {.scopes = ANONYMOUS_SCOPES, .collections = {KEY_COLLECTIONS_ALL}};
	bool named = visit->credentials_kind == CREDENTIALS_KEY;

	if (!refuse_kind(gateway, visit->credentials_kind, problem))
		return false;
	if (named && !find_key(gateway, visit, store, &key, problem))
		return false;
	fill_visitor(&visit->visitor, &key);
	if (!keyring_allows(&key, visit->scope)) {
		http_problem_init(problem, &problem_forbidden, "%s", "it lacks the scope for this");
		return false;
	}
	return named ? check_rate(gateway, visit->call, gateway->keys_limit, key.id, &key, problem)
		     : check_rate(gateway, visit->call, gateway->strangers_limit, visit->address, &key, problem);
}

bool admission_refuse_late(struct gateway *gateway, struct visit *visit)
{
	if (!atomic_load(&gateway->out_of_time))
		return false;
	visit_refuse_as(visit, &http_problem_stopping, "try another one", 1);
	return true;
}

bool admission_admit(struct gateway *gateway, struct visit *visit, struct store **store)
{
	struct http_problem problem;

	if (!visit->call)
		return true;
	if (admission_refuse_late(gateway, visit))
		return false;
	if (check(gateway, visit, store, &problem))
		return true;
	visit_refuse(visit, &problem);
	return false;
}

bool admission_check_collection(const struct visitor *visitor, enum job_op op, const char *collection,
				const char *field, struct http_problem *problem)
{
	if (visitor_works_in(visitor, op, collection))
		return true;
	http_problem_init(problem, &problem_forbidden, "%s: the API key has no access to the collection \"%s\" for %s",
			  field, collection, job_op_name(op));
	snprintf(problem->field, sizeof(problem->field), "%s", field);
	return false;
}

int admission_check_schedules(struct gateway *gateway, const char *owner, struct store *store, bool *allowed,
			      struct error *err)
{
	return schedule_quota_take(gateway->schedule_quota, store, owner,
				   (uint64_t)atomic_load(&gateway->max_schedules), clock_monotonic_ms(), allowed, err);
}
