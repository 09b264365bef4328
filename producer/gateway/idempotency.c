#include "gateway/idempotency.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"

enum { CHAINS = 1024, PURGE_EVERY = 64, PURGE_ROWS = 256 };

/* A request that this gateway carries out now. */
struct flight {
	LIST_ENTRY(flight) chain;
	uint8_t hash[IDEMPOTENCY_HASH_SIZE];
	size_t owner_size;
	size_t key_size;
	char names[]; /* owner, key, without ends */
};

LIST_HEAD(flights, flight);

struct idempotency_guard {
	pthread_mutex_t lock;
	atomic_uint finished;
	uint64_t seed;
	size_t max;
	size_t count;
	struct flights chains[CHAINS];
};

struct idempotency_guard *idempotency_guard_new(size_t max_in_flight)
{
	struct idempotency_guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return NULL;
	guard->max = max_in_flight;
	random_bytes(&guard->seed, sizeof(guard->seed));
	pthread_mutex_init(&guard->lock, NULL);
	return guard;
}

void idempotency_guard_free(struct idempotency_guard *guard)
{
	if (!guard)
		return;
	for (size_t i = 0; i < CHAINS; i++)
		while (!LIST_EMPTY(&guard->chains[i])) {
			struct flight *flight = LIST_FIRST(&guard->chains[i]);
			LIST_REMOVE(flight, chain);
			free(flight);
		}
	pthread_mutex_destroy(&guard->lock);
	free(guard);
}

/* --- headers and bodies --- */

/* Takes one character of a quoted string; 0 at its end, or where none can be. */
static char unquote(const char **at)
{
	char c = **at;

	if (c == '"' || c == '\0')
		return 0;
	++*at;
	if (c != '\\')
		return c;
	c = **at;
	if (c != '"' && c != '\\')
		return 0;
	++*at;
	return c;
}

static bool is_printable(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

bool idempotency_guard_read(const char *text, char key[IDEMPOTENCY_KEY_SIZE])
{
	char out[IDEMPOTENCY_KEY_SIZE];
	size_t size = 0;

	text += strspn(text, " \t");
	if (*text == '"') {
		char c;
		for (text++; size < sizeof(out) && (c = unquote(&text)) != 0;)
			out[size++] = c;
		if (size == sizeof(out) || *text++ != '"' || text[strspn(text, " \t")] != '\0')
			return false;
	} else {
		size = strlen(text);
		while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
			size--;
		if (size >= sizeof(out))
			return false;
		memcpy(out, text, size);
	}
	if (size == 0 || !is_printable(out, size))
		return false;
	memcpy(key, out, size);
	key[size] = '\0';
	return true;
}

void idempotency_guard_hash(const char *method, const char *target, const void *body, size_t size,
			    uint8_t hash[IDEMPOTENCY_HASH_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	/* With their ends, so that nothing moves from one into the next. */
	bool good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
		    EVP_DigestUpdate(context, method, strlen(method) + 1) &&
		    EVP_DigestUpdate(context, target, strlen(target) + 1) && EVP_DigestUpdate(context, body, size) &&
		    EVP_DigestFinal_ex(context, hash, NULL);
	EVP_MD_CTX_free(context);
	/* Without memory: no two requests are the same then. */
	if (!good)
		random_bytes(hash, IDEMPOTENCY_HASH_SIZE);
}

/* --- under way here --- */

static struct flights *chain_of(struct idempotency_guard *guard, const struct idempotency_request *request)
{
	uint64_t hash = hash_bytes(guard->seed, request->owner, strlen(request->owner));

	return &guard->chains[hash_bytes(hash, request->key, strlen(request->key)) % CHAINS];
}

static struct flight *find(struct flights *chain, const struct idempotency_request *request)
{
	size_t owner_size = strlen(request->owner);
	size_t key_size = strlen(request->key);
	struct flight *flight;

	LIST_FOREACH(flight, chain, chain)
	{
		if (flight->owner_size == owner_size && flight->key_size == key_size &&
		    memcmp(flight->names, request->owner, owner_size) == 0 &&
		    memcmp(flight->names + owner_size, request->key, key_size) == 0)
			return flight;
	}
	return NULL;
}

static struct flight *flight_new(const struct idempotency_request *request)
{
	size_t owner_size = strlen(request->owner);
	size_t key_size = strlen(request->key);
	struct flight *flight = malloc(sizeof(*flight) + owner_size + key_size);

	if (!flight)
		return NULL;
	memcpy(flight->hash, request->hash, IDEMPOTENCY_HASH_SIZE);
	flight->owner_size = owner_size;
	flight->key_size = key_size;
	memcpy(flight->names, request->owner, owner_size);
	memcpy(flight->names + owner_size, request->key, key_size);
	return flight;
}

/* With the lock. NEW: it is under way here from now on. */
static int enter(struct idempotency_guard *guard, const struct idempotency_request *request,
		 enum idempotency_state *state, struct error *err)
{
	struct flights *chain = chain_of(guard, request);
	struct flight *flight = find(chain, request);

	if (flight) {
		bool same = memcmp(flight->hash, request->hash, IDEMPOTENCY_HASH_SIZE) == 0;
		*state = same ? IDEMPOTENCY_IN_FLIGHT : IDEMPOTENCY_DIFFERENT;
		return 0;
	}
	if (guard->count >= guard->max)
		return error_set(err, ERROR_OVERLOADED, "%zu requests with an Idempotency-Key are under way",
				 guard->count);
	flight = flight_new(request);
	if (!flight)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	LIST_INSERT_HEAD(chain, flight, chain);
	guard->count++;
	*state = IDEMPOTENCY_NEW;
	return 0;
}

void idempotency_guard_forget(struct idempotency_guard *guard, const struct idempotency_request *request)
{
	pthread_mutex_lock(&guard->lock);
	struct flight *flight = find(chain_of(guard, request), request);
	if (flight) {
		LIST_REMOVE(flight, chain);
		free(flight);
		guard->count--;
	}
	pthread_mutex_unlock(&guard->lock);
}

int idempotency_guard_begin(struct idempotency_guard *guard, struct store *store,
			    const struct idempotency_request *request, const char *task_id, int64_t now_ms,
			    struct idempotency_claim *claim, struct error *err)
{
	struct idempotency_claim found = {0};

	pthread_mutex_lock(&guard->lock);
	int r = enter(guard, request, &found.state, err);
	pthread_mutex_unlock(&guard->lock);
	if (r < 0)
		return r;
	if (found.state == IDEMPOTENCY_NEW) {
		r = idempotency_reserve(store, request, task_id, now_ms, &found, err);
		if (r < 0 || found.state != IDEMPOTENCY_NEW)
			idempotency_guard_forget(guard, request);
	}
	if (r == 0)
		*claim = found;
	return r;
}

/* Removes more than is added, a little at a time. If it cannot be done now, it is done later. */
static void purge(struct idempotency_guard *guard, struct store *store)
{
	struct error ignored;
	unsigned removed;

	if (atomic_fetch_add(&guard->finished, 1) % PURGE_EVERY == 0)
		(void)!idempotency_purge(store, clock_unix_ms(), PURGE_ROWS, &removed, &ignored);
}

/* The store first: who comes between finds the request under way here, not forgotten. */
int idempotency_guard_finish(struct idempotency_guard *guard, struct store *store,
			     const struct idempotency_request *request, const struct idempotency_claim *claim,
			     struct error *err)
{
	int r = idempotency_complete(store, request, claim, err);

	idempotency_guard_forget(guard, request);
	if (r == 0)
		purge(guard, store);
	return r;
}

int idempotency_guard_abandon(struct idempotency_guard *guard, struct store *store,
			      const struct idempotency_request *request, const struct idempotency_claim *claim,
			      struct error *err)
{
	int r = idempotency_release(store, request, claim, err);

	idempotency_guard_forget(guard, request);
	return r;
}
