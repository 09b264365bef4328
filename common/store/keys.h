#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/key_collections.h"
#include "store/store.h"

/*
 * API keys of the gateway. A key is written ffk_<id>_<secret>: the id names the row, the secret is 32 random bytes in
 * base64url. Only the SHA-256 of the secret is stored (it is random, so no slow hash is needed).
 */

#define KEYS_ID_SIZE 17   /**< 16 lower hexadecimal digits, and the end */
#define KEYS_TEXT_SIZE 72 /**< a whole key, and the end */
#define KEYS_HASH_SIZE 32
#define KEYS_MAX_NAME_BYTES 64
#define KEYS_MAX_RATE 1000000

enum key_scope {
	KEY_MATCH = 1 << 0,    /**< match, verify, search */
	KEY_ENROLL = 1 << 1,   /**< enrol and unenrol */
	KEY_READ_ALL = 1 << 2, /**< see tasks and schedules of other keys too, verify and search in every collection */
	KEY_SCHEDULE = 1 << 3,
	KEY_ADMIN = 1 << 4 /**< everything */
};

struct api_key {
	char id[KEYS_ID_SIZE];
	char name[KEYS_MAX_NAME_BYTES + 1];
	uint8_t hash[KEYS_HASH_SIZE];
	unsigned scopes;                    /**< enum key_scope */
	double rate;                        /**< requests a second; 0: the gateway's default */
	double burst;                       /**< requests at once; 0: the gateway's default */
	struct key_collections collections; /**< to verify, search, enrol and unenrol in */
	int64_t created_at_ms;
	int64_t revoked_at_ms; /**< 0: valid */
};

/** What a key that is to be made says of itself, as in struct api_key. */
struct key_wish {
	const char *name;
	unsigned scopes;
	double rate;
	double burst;
	struct key_collections collections; /**< none: the collection `default` */
};

/**
 * Makes a key and stores its hash; `text` gets the key itself, which cannot be had again. A name that is empty, too
 * long or not printable, no scopes, and a rate or burst outside [0, KEYS_MAX_RATE] are `config`.
 */
int keys_create(struct store *store, const struct key_wish *wish, char text[KEYS_TEXT_SIZE], struct api_key *key,
		struct error *err) must_check;

/** Reads a key's text into its id and the hash of its secret. False for what is no key. Touches no store. */
bool keys_parse(const char *text, char id[KEYS_ID_SIZE], uint8_t hash[KEYS_HASH_SIZE]) must_check;

/** True for what can be a key's id. */
bool keys_is_id(const char *text) must_check;

/** Looks a key up by its id; `found` says whether there is one, valid or revoked. */
int keys_find(struct store *store, const char *id, struct api_key *key, bool *found, struct error *err) must_check;

/** Keys in the order they were made, revoked ones too; a negative return of `fn` stops and is returned. */
typedef int key_fn(void *arg, const struct api_key *key, struct error *err);
int keys_list(struct store *store, key_fn *fn, void *arg, struct error *err) must_check;

/** `found` false: no such key. Revoking twice keeps the first time. */
int keys_revoke(struct store *store, const char *id, int64_t now_ms, bool *found, struct error *err) must_check;

/** "match,enroll" to scopes and back; an unknown or missing word is `config`. `out` needs KEYS_SCOPES_SIZE. */
#define KEYS_SCOPES_SIZE 64
int keys_scopes_parse(const char *text, unsigned *scopes, struct error *err) must_check;
void keys_scopes_print(unsigned scopes, char *out, size_t size);

#endif
