#include "gateway/keyring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "cache/lru.h"

/* What the cache needs for an entry beside the entry itself; more than that only makes it hold more keys. */
#define ENTRY_OVERHEAD 128

/* What the store said, and when. */
struct answer {
	int64_t asked_ms;
	struct api_key key;
};

struct keyring {
	struct lru *known;                 /* id → struct answer */
	struct lru *unknown;               /* id → when; apart, so that guesses push out no key */
	atomic_int_fast64_t away_until_ms; /* the store was away just now */
};

struct keyring *keyring_new(size_t max_keys)
{
	struct keyring *keyring = calloc(1, sizeof(*keyring));

	if (!keyring)
		return NULL;
	atomic_store(&keyring->away_until_ms, INT64_MIN);
	keyring->known = lru_new(max_keys * (sizeof(struct answer) + KEYS_ID_SIZE + ENTRY_OVERHEAD));
	keyring->unknown = lru_new(max_keys * (sizeof(int64_t) + KEYS_ID_SIZE + ENTRY_OVERHEAD));
	if (!keyring->known || !keyring->unknown) {
		keyring_free(keyring);
		return NULL;
	}
	return keyring;
}

void keyring_free(struct keyring *keyring)
{
	if (!keyring)
		return;
	lru_free(keyring->known);
	lru_free(keyring->unknown);
	free(keyring);
}

/* --- credentials --- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* A key with white space around it. */
static bool read_key(const char *text, struct credentials *out)
{
	char key[KEYS_TEXT_SIZE];

	while (is_space(*text))
		text++;
	size_t length = strlen(text);
	while (length > 0 && is_space(text[length - 1]))
		length--;
	if (length >= sizeof(key))
		return false;
	memcpy(key, text, length);
	key[length] = '\0';
	bool good = keys_parse(key, out->id, out->hash);
	OPENSSL_cleanse(key, sizeof(key));
	return good;
}

static bool read_authorization(const char *text, struct credentials *out)
{
	static const char scheme[] = "Bearer";
	const size_t length = strlen(scheme);

	while (is_space(*text))
		text++;
	return strncasecmp(text, scheme, length) == 0 && is_space(text[length]) && read_key(text + length, out);
}

static bool are_same(const struct credentials *a, const struct credentials *b)
{
	return strcmp(a->id, b->id) == 0 && CRYPTO_memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

enum credentials_kind keyring_read(const char *authorization, const char *api_key, struct credentials *out)
{
	struct credentials first, second;

	if (!authorization && !api_key)
		return CREDENTIALS_NONE;
	if ((authorization && !read_authorization(authorization, &first)) || (api_key && !read_key(api_key, &second)))
		return CREDENTIALS_BAD;
	if (authorization && api_key && !are_same(&first, &second))
		return CREDENTIALS_BAD;
	*out = authorization ? first : second;
	return CREDENTIALS_KEY;
}

/* --- what was heard --- */

static bool recall(struct lru *lru, const char *id, void *out, size_t size)
{
	cleanup_with(buffer_finish) struct buffer value = {0};

	if (lru_get(lru, id, strlen(id), &value) != 0 || value.size != size)
		return false;
	memcpy(out, value.data, size);
	return true;
}

/* Without memory it is asked again, and that is all. */
static void remember(struct keyring *keyring, const char *id, const struct answer *answer, bool found)
{
	if (found) {
		lru_remove(keyring->unknown, id, strlen(id));
		(void)!lru_put(keyring->known, id, strlen(id), answer, sizeof(*answer), 0);
	} else {
		lru_remove(keyring->known, id, strlen(id));
		(void)!lru_put(keyring->unknown, id, strlen(id), &answer->asked_ms, sizeof(answer->asked_ms), 0);
	}
}

static enum keyring_verdict judge(const struct credentials *credentials, const struct api_key *known,
				  struct api_key *key)
{
	bool is_secret = CRYPTO_memcmp(credentials->hash, known->hash, sizeof(known->hash)) == 0;

	if (!is_secret || known->revoked_at_ms != 0)
		return KEYRING_INVALID;
	*key = *known;
	return KEYRING_VALID;
}

static bool is_away(struct keyring *keyring, int64_t now_ms)
{
	return now_ms < atomic_load(&keyring->away_until_ms);
}

enum keyring_verdict keyring_know(struct keyring *keyring, const struct credentials *credentials, int64_t now_ms,
				  struct api_key *key)
{
	int64_t allowed_ms = is_away(keyring, now_ms) ? KEYRING_STALE_MS : KEYRING_FRESH_MS;
	struct answer answer;
	int64_t missed_ms;

	if (recall(keyring->known, credentials->id, &answer, sizeof(answer)) && now_ms - answer.asked_ms < allowed_ms)
		return judge(credentials, &answer.key, key);
	if (recall(keyring->unknown, credentials->id, &missed_ms, sizeof(missed_ms)) &&
	    now_ms - missed_ms < KEYRING_UNKNOWN_MS)
		return KEYRING_INVALID;
	return KEYRING_ASK;
}

bool keyring_has_met(struct keyring *keyring, const struct credentials *credentials)
{
	struct answer answer;
	struct api_key key;

	return recall(keyring->known, credentials->id, &answer, sizeof(answer)) &&
	       judge(credentials, &answer.key, &key) == KEYRING_VALID;
}

int keyring_ask(struct keyring *keyring, struct store *store, const struct credentials *credentials, int64_t now_ms,
		enum keyring_verdict *verdict, struct api_key *key, struct error *err)
{
	enum keyring_verdict known = keyring_know(keyring, credentials, now_ms, key);
	struct answer answer = {.asked_ms = now_ms};
	bool found = false;
	int r = 0;

	if (known == KEYRING_ASK && is_away(keyring, now_ms))
		return error_set(err, ERROR_STORE_UNAVAILABLE, "the store that keeps the API keys cannot be reached");
	if (known == KEYRING_ASK && (r = keys_find(store, credentials->id, &answer.key, &found, err)) == 0) {
		atomic_store(&keyring->away_until_ms, INT64_MIN);
		remember(keyring, credentials->id, &answer, found);
		known = found ? judge(credentials, &answer.key, key) : KEYRING_INVALID;
	} else if (known == KEYRING_ASK) {
		/* Others need not wait for the same; whoever is known goes on. */
		atomic_store(&keyring->away_until_ms, now_ms + KEYRING_PAUSE_MS);
		known = keyring_know(keyring, credentials, now_ms, key);
	}
	if (known == KEYRING_ASK)
		return r;
	*verdict = known;
	return 0;
}

bool keyring_allows(const struct api_key *key, enum key_scope scope)
{
	return (key->scopes & ((unsigned)scope | KEY_ADMIN)) != 0;
}
