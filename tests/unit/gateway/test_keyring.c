#include "run.h"

#include <stdio.h>
#include <string.h>

#include "files.h"
#include "gateway/keyring.h"
#include "store/store_private.h"

#define OTHER "ffk_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define NOW INT64_C(1000000)

static struct store_files files;
static struct store_settings settings;
static struct store *store;
static struct keyring *keyring;

static char text[KEYS_TEXT_SIZE]; /* of the key that every test has */
static struct api_key made;
static struct credentials shown;

static int set_up(void **state)
{
	struct error err = {0};

	(void)state;
	if (store_files_init(&files) < 0)
		return -1;
	settings.url = files.urls[0];
	keyring = keyring_new(8);
	if (!keyring || store_migrate(&settings, NULL, NULL, &err) < 0 || store_open(&store, &settings, &err) < 0 ||
	    keys_create(store, &(struct key_wish){.name = "x", .scopes = KEY_MATCH}, text, &made, &err) < 0)
		return -1;
	return keyring_read(NULL, text, &shown) == CREDENTIALS_KEY ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	keyring_free(keyring);
	store_close(store);
	store_files_finish(&files);
	return 0;
}

static struct credentials read_key(const char *key)
{
	struct credentials credentials;

	assert_int_equal(keyring_read(NULL, key, &credentials), CREDENTIALS_KEY);
	return credentials;
}

static enum keyring_verdict know(const struct credentials *credentials, int64_t now_ms)
{
	struct api_key key = {0};
	enum keyring_verdict verdict = keyring_know(keyring, credentials, now_ms, &key);

	if (verdict == KEYRING_VALID)
		assert_string_equal(key.id, credentials->id);
	return verdict;
}

static enum keyring_verdict ask(const struct credentials *credentials, int64_t now_ms)
{
	enum keyring_verdict verdict;
	struct api_key key = {0};
	struct error err = {0};

	if (keyring_ask(keyring, store, credentials, now_ms, &verdict, &key, &err) < 0)
		fail_msg("%s", err.text);
	if (verdict == KEYRING_VALID)
		assert_string_equal(key.id, credentials->id);
	return verdict;
}

static void assert_unavailable(const struct credentials *credentials, int64_t now_ms)
{
	enum keyring_verdict verdict;
	struct api_key key;
	struct error err = {0};

	assert_true(keyring_ask(keyring, store, credentials, now_ms, &verdict, &key, &err) < 0);
	assert_true(error_is_set(&err));
}

static void revoke(void)
{
	bool found = false;

	assert_int_equal(keys_revoke(store, made.id, 1, &found, NULL), 0);
	assert_true(found);
}

/* A table that is not there is as good as a store that is not. */
static void hide_store(bool hide)
{
	assert_int_equal(
	    database_execute(store->database,
			     hide ? "ALTER TABLE api_keys RENAME TO hidden" : "ALTER TABLE hidden RENAME TO api_keys",
			     NULL, 0, NULL),
	    0);
}

static void test_asked_once_in_a_while(void **state)
{
	(void)state;
	assert_int_equal(know(&shown, NOW), KEYRING_ASK);
	assert_int_equal(ask(&shown, NOW), KEYRING_VALID);
	assert_int_equal(know(&shown, NOW + KEYRING_FRESH_MS - 1), KEYRING_VALID);
	assert_int_equal(know(&shown, NOW + KEYRING_FRESH_MS), KEYRING_ASK);
	assert_int_equal(ask(&shown, NOW + KEYRING_FRESH_MS), KEYRING_VALID);
	assert_int_equal(know(&shown, NOW + KEYRING_FRESH_MS + 1), KEYRING_VALID);
}

static void test_revocation_shows(void **state)
{
	(void)state;
	assert_int_equal(ask(&shown, NOW), KEYRING_VALID);
	revoke();
	assert_int_equal(ask(&shown, NOW + KEYRING_FRESH_MS), KEYRING_INVALID);
	assert_int_equal(know(&shown, NOW + KEYRING_FRESH_MS + 1), KEYRING_INVALID);
}

static void test_another_secret(void **state)
{
	struct credentials wrong = shown;

	(void)state;
	wrong.hash[31] ^= 1;
	assert_int_equal(ask(&wrong, NOW), KEYRING_INVALID);
	assert_int_equal(know(&wrong, NOW), KEYRING_INVALID);
	/* That somebody guessed locks nobody out. */
	assert_int_equal(know(&shown, NOW), KEYRING_VALID);
}

static void test_met_before(void **state)
{
	struct credentials other = read_key(OTHER);
	struct credentials wrong = shown;

	(void)state;
	wrong.hash[31] ^= 1;
	assert_false(keyring_has_met(keyring, &shown));
	assert_int_equal(ask(&shown, NOW), KEYRING_VALID);
	assert_int_equal(ask(&other, NOW), KEYRING_INVALID);
	assert_true(keyring_has_met(keyring, &shown));
	assert_false(keyring_has_met(keyring, &wrong));
	assert_false(keyring_has_met(keyring, &other));
}

static void test_no_such_key(void **state)
{
	struct credentials other = read_key(OTHER);

	(void)state;
	assert_int_equal(ask(&other, NOW), KEYRING_INVALID);
	assert_int_equal(know(&other, NOW + KEYRING_UNKNOWN_MS - 1), KEYRING_INVALID);
	assert_int_equal(know(&other, NOW + KEYRING_UNKNOWN_MS), KEYRING_ASK);
}

static void rename_key(const char *from, const char *to)
{
	const struct database_value values[] = {database_text(from), database_text(to)};

	assert_int_equal(database_execute(store->database, "UPDATE api_keys SET key_id = $2 WHERE key_id = $1", values,
					  array_size(values), NULL),
			 0);
}

/* What was tried before it was made works a second later. */
static void test_key_that_comes_later(void **state)
{
	(void)state;
	rename_key(made.id, "fedcba9876543210");
	assert_int_equal(ask(&shown, NOW), KEYRING_INVALID);
	rename_key("fedcba9876543210", made.id);
	assert_int_equal(ask(&shown, NOW + KEYRING_UNKNOWN_MS), KEYRING_VALID);
	assert_int_equal(know(&shown, NOW + KEYRING_UNKNOWN_MS), KEYRING_VALID);
}

static void test_guesses_push_out_no_key(void **state)
{
	char guess[KEYS_TEXT_SIZE];

	(void)state;
	assert_int_equal(ask(&shown, NOW), KEYRING_VALID);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(guess, sizeof(guess), "ffk_%016x%s", i, strrchr(OTHER, '_'));
		struct credentials other = read_key(guess);
		assert_int_equal(ask(&other, NOW), KEYRING_INVALID);
	}
	assert_int_equal(know(&shown, NOW), KEYRING_VALID);
}

static void test_without_a_store(void **state)
{
	const int64_t later = NOW + KEYRING_FRESH_MS;
	struct credentials other = read_key(OTHER);

	(void)state;
	assert_int_equal(ask(&shown, NOW), KEYRING_VALID);
	hide_store(true);
	assert_int_equal(ask(&shown, later), KEYRING_VALID);
	/* Known to be away, it is not asked for a while: neither for this key nor for others. */
	assert_int_equal(know(&shown, later + KEYRING_PAUSE_MS - 1), KEYRING_VALID);
	assert_unavailable(&other, later);
	hide_store(false);
	assert_unavailable(&other, later + KEYRING_PAUSE_MS - 1);
	assert_int_equal(ask(&other, later + KEYRING_PAUSE_MS), KEYRING_INVALID);
	assert_int_equal(know(&shown, later + KEYRING_PAUSE_MS), KEYRING_ASK);
}

static void test_without_a_store_for_long(void **state)
{
	(void)state;
	assert_int_equal(ask(&shown, NOW), KEYRING_VALID);
	hide_store(true);
	assert_int_equal(ask(&shown, NOW + KEYRING_STALE_MS - 1), KEYRING_VALID);
	assert_unavailable(&shown, NOW + KEYRING_STALE_MS);
}

static void test_wrong_secrets_without_a_store(void **state)
{
	struct credentials wrong = shown;

	(void)state;
	wrong.hash[0] ^= 1;
	assert_int_equal(ask(&shown, NOW), KEYRING_VALID);
	hide_store(true);
	assert_int_equal(ask(&wrong, NOW + KEYRING_FRESH_MS), KEYRING_INVALID);
}

static void test_scopes(void **state)
{
	const struct api_key some = {.scopes = KEY_MATCH | KEY_READ_ALL};
	const struct api_key all = {.scopes = KEY_ADMIN};

	(void)state;
	assert_true(keyring_allows(&some, KEY_MATCH));
	assert_false(keyring_allows(&some, KEY_ENROLL));
	assert_false(keyring_allows(&some, KEY_ADMIN));
	assert_true(keyring_allows(&all, KEY_ENROLL));
}

/* --- headers --- */

static enum credentials_kind read_header(const char *authorization, const char *api_key)
{
	struct credentials credentials = {0};
	enum credentials_kind kind = keyring_read(authorization, api_key, &credentials);

	assert_string_equal(credentials.id, kind == CREDENTIALS_KEY ? "0123456789abcdef" : "");
	return kind;
}

static void test_headers(void **state)
{
	static const char *const good[] = {"Bearer " OTHER, "bearer " OTHER, " BEARER\t  " OTHER " \t"};
	static const char *const bad[] = {"",
					  "Bearer",
					  "Bearer ",
					  "Bearer" OTHER,
					  OTHER,
					  "Basic dXNlcjpwYXNz",
					  "Bearer " OTHER " x",
					  "Bearer " OTHER "," OTHER,
					  "Bearer x" OTHER};
	static const char second[] = "ffk_0123456789abcdef_BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

	(void)state;
	assert_int_equal(read_header(NULL, NULL), CREDENTIALS_NONE);
	for (size_t i = 0; i < array_size(good); i++)
		assert_int_equal(read_header(good[i], NULL), CREDENTIALS_KEY);
	for (size_t i = 0; i < array_size(bad); i++)
		assert_int_equal(read_header(bad[i], NULL), CREDENTIALS_BAD);
	assert_int_equal(read_header(NULL, OTHER " "), CREDENTIALS_KEY);
	assert_int_equal(read_header(NULL, ""), CREDENTIALS_BAD);
	assert_int_equal(read_header("Bearer " OTHER, OTHER), CREDENTIALS_KEY);
	assert_int_equal(read_header("Bearer " OTHER, second), CREDENTIALS_BAD);
	assert_int_equal(read_header("Basic dXNlcjpwYXNz", OTHER), CREDENTIALS_BAD);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_headers), cmocka_unit_test(test_scopes),       CASE(test_asked_once_in_a_while),
    CASE(test_revocation_shows),    CASE(test_another_secret),           CASE(test_met_before),
    CASE(test_no_such_key),         CASE(test_key_that_comes_later),     CASE(test_guesses_push_out_no_key),
    CASE(test_without_a_store),     CASE(test_without_a_store_for_long), CASE(test_wrong_secrets_without_a_store),
};

RUN_TESTS(tests)
