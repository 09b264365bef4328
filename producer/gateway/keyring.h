#ifndef GATEWAY_KEYRING_H
#define GATEWAY_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/keys.h"
#include "store/store.h"

/*
 * Tells who asks, by API key. What the store said of a key counts for 5 s, that there is none for 1 s, so a revocation
 * shows within 5 s. While the store cannot be asked, known keys open for a minute more, and unknown ones are
 * `store_unavailable`. Any thread; time is monotonic and the caller's.
 */

#define KEYRING_FRESH_MS 5000
#define KEYRING_UNKNOWN_MS 1000
#define KEYRING_STALE_MS 60000 /**< how old an answer may be that counts while the store is away */
#define KEYRING_PAUSE_MS 1000  /**< before a store that was away is asked again */

struct keyring;

/** Remembers about `max_keys` keys, and as many that do not exist. NULL when memory is out. */
struct keyring *keyring_new(size_t max_keys) must_check;
void keyring_free(struct keyring *keyring);

/** A key as somebody showed it: which one it claims to be, and the hash of its secret. */
struct credentials {
	char id[KEYS_ID_SIZE];
	uint8_t hash[KEYS_HASH_SIZE];
};

enum credentials_kind {
	CREDENTIALS_NONE, /**< nobody in particular */
	CREDENTIALS_BAD,  /**< no key can look like that, or there are two different ones */
	CREDENTIALS_KEY
};

/** Reads the text of an Authorization header ("Bearer ffk_...") and of an X-API-Key header; NULL: there is none. */
enum credentials_kind keyring_read(const char *authorization, const char *api_key, struct credentials *out);

enum keyring_verdict {
	KEYRING_VALID,
	KEYRING_INVALID, /**< there is no such key, it was revoked, or the secret is wrong: callers need not know which
			  */
	KEYRING_ASK      /**< keyring_ask() has to find out */
};

/** What is known without asking. `key` is written for KEYRING_VALID. Never waits. */
enum keyring_verdict keyring_know(struct keyring *keyring, const struct credentials *credentials, int64_t now_ms,
				  struct api_key *key) must_check;

/** True if this was a key, secret and all, when the store was asked last. Never waits. */
bool keyring_has_met(struct keyring *keyring, const struct credentials *credentials) must_check;

/**
 * What keyring_know() says, asking the store where that is needed: may block and fail as the store does. `verdict` is
 * written on success only, and never KEYRING_ASK.
 */
int keyring_ask(struct keyring *keyring, struct store *store, const struct credentials *credentials, int64_t now_ms,
		enum keyring_verdict *verdict, struct api_key *key, struct error *err) must_check;

/** True if the key's scopes contain `scope`, or KEY_ADMIN. */
bool keyring_allows(const struct api_key *key, enum key_scope scope) must_check;

#endif
