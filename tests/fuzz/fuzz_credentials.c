/* What strangers send with a request: the text of a key, of the headers that carry one, and of an Idempotency-Key; and
 * what the store keeps of a key. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/idempotency.h"
#include "gateway/keyring.h"
#include "store/endpoints.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A key with anything changed is another key, or none. */
static void check_key(const char *text)
{
	uint8_t hash[KEYS_HASH_SIZE], other_hash[KEYS_HASH_SIZE];
	char id[KEYS_ID_SIZE], other_id[KEYS_ID_SIZE];
	char other[KEYS_TEXT_SIZE];

	if (!keys_parse(text, id, hash))
		return;
	assert(strlen(text) < KEYS_TEXT_SIZE && keys_is_id(id));
	for (size_t i = 0; i < strlen(text); i++) {
		strcpy(other, text);
		other[i] = other[i] == 'A' ? 'B' : 'A';
		assert(!keys_parse(other, other_id, other_hash) || strcmp(id, other_id) != 0 ||
		       memcmp(hash, other_hash, sizeof(hash)) != 0);
	}
}

static void check_headers(const char *text)
{
	struct credentials bearer, plain;
	enum credentials_kind kind = keyring_read(text, NULL, &bearer);

	assert(kind != CREDENTIALS_NONE);
	assert(kind != CREDENTIALS_KEY || keys_is_id(bearer.id));
	kind = keyring_read(NULL, text, &plain);
	assert(kind != CREDENTIALS_NONE);
	assert(kind != CREDENTIALS_KEY || keys_is_id(plain.id));
	(void)keyring_read(text, text, &plain);
}

static void check_idempotency_key(const char *text)
{
	char key[IDEMPOTENCY_KEY_SIZE];

	if (idempotency_guard_read(text, key))
		assert(strlen(key) >= 1 && strlen(key) < sizeof(key));
}

/* The one spelling of a name stays as it is, and fits itself. */
static void check_endpoint(const char *text)
{
	char name[ENDPOINTS_PREFIX_SIZE], again[ENDPOINTS_PREFIX_SIZE];
	struct error err = {0};

	if (endpoints_canonical(text, name, &err) < 0) {
		assert(err.code == ERROR_CONFIG);
		return;
	}
	assert(endpoints_canonical(name, again, NULL) == 0 && strcmp(name, again) == 0);
	if (strstr(name, "://"))
		assert(endpoints_fit(name, name) == strlen(name));
}

/* What is read is what was written. */
static void check_collections(const char *text)
{
	struct key_collections collections;

	if (key_collections_read(&collections, text))
		assert(strcmp(collections.text, text) == 0 && text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned scopes;
	char *text = malloc(size + 1);

	assert(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_key(text);
	check_headers(text);
	check_idempotency_key(text);
	check_endpoint(text);
	check_collections(text);
	(void)!keys_scopes_parse(text, &scopes, NULL);
	free(text);
	return 0;
}
