#include "../run.h"

#include <stdio.h>
#include <string.h>

#include "keys_cases.h"
#include "store/keys.h"
#include "store/store_private.h"

static struct store_settings settings = {.timeout_ms = 20000};
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	if (store_migrate(&settings, NULL, NULL, NULL) < 0 || store_open(&store, &settings, NULL) < 0)
		return -1;
	return database_execute(store->database, "DELETE FROM api_keys", NULL, 0, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static struct api_key make(const char *name, char text[KEYS_TEXT_SIZE])
{
	struct api_key key;
	struct error err = {0};

	const struct key_wish wish = {.name = name, .scopes = KEY_MATCH | KEY_ENROLL, .rate = 2.5, .burst = 10};

	if (keys_create(store, &wish, text, &key, &err) < 0)
		fail_msg("%s", err.text);
	return key;
}

static struct api_key find(const char *id)
{
	struct api_key key = {0};
	struct error err = {0};
	bool found = false;

	if (keys_find(store, id, &key, &found, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(found);
	return key;
}

static void test_made_and_found(void **state)
{
	char text[KEYS_TEXT_SIZE], id[KEYS_ID_SIZE];
	uint8_t hash[KEYS_HASH_SIZE];
	struct api_key made = make("shop \xC3\xA9", text);
	struct api_key key = find(made.id);

	(void)state;
	assert_string_equal(key.name, "shop \xC3\xA9");
	assert_int_equal(key.scopes, KEY_MATCH | KEY_ENROLL);
	assert_true(key.rate == 2.5 && key.burst == 10);
	assert_true(key.created_at_ms > 0 && key.created_at_ms == made.created_at_ms);
	assert_int_equal(key.revoked_at_ms, 0);
	assert_true(keys_parse(text, id, hash));
	assert_string_equal(id, made.id);
	assert_memory_equal(hash, key.hash, sizeof(hash));
	assert_string_equal(key.collections.text, "default");
}

static void test_collections_are_kept(void **state)
{
	struct key_wish wish = {.name = "x", .scopes = KEY_MATCH};
	char text[KEYS_TEXT_SIZE];
	struct api_key made;

	(void)state;
	assert_int_equal(key_collections_add(&wish.collections, "staff, \xC3\xA9", NULL), 0);
	assert_int_equal(key_collections_add(&wish.collections, "guests", NULL), 0);
	assert_int_equal(keys_create(store, &wish, text, &made, NULL), 0);
	struct api_key key = find(made.id);
	assert_true(key_collections_have(&key.collections, "staff, \xC3\xA9"));
	assert_true(key_collections_have(&key.collections, "guests"));
	assert_false(key_collections_have(&key.collections, "default"));
}

static void test_every_key_is_another(void **state)
{
	char a[KEYS_TEXT_SIZE], b[KEYS_TEXT_SIZE];
	struct api_key first = make("same", a);
	struct api_key second = make("same", b);

	(void)state;
	assert_string_not_equal(a, b);
	assert_string_not_equal(first.id, second.id);
	assert_memory_not_equal(first.hash, second.hash, KEYS_HASH_SIZE);
}

static int look_for(void *arg, const struct database_row *row, struct error *err)
{
	size_t size;
	const char *secret = arg;
	const void *hash = database_row_bytes(row, 0, &size);

	(void)err;
	assert_null(memmem(hash, size, secret, strlen(secret)));
	assert_int_equal(size, KEYS_HASH_SIZE);
	return 0;
}

static void test_the_secret_is_not_stored(void **state)
{
	char text[KEYS_TEXT_SIZE];

	(void)state;
	make("x", text);
	assert_int_equal(database_read(store->database,
				       &(struct database_statement){.sql = "SELECT hash FROM api_keys",
								    .fn = look_for,
								    .arg = strrchr(text, '_') + 1},
				       NULL),
			 0);
}

static void test_unknown_key(void **state)
{
	struct api_key key;
	bool found = true;

	(void)state;
	assert_int_equal(keys_find(store, "0123456789abcdef", &key, &found, NULL), 0);
	assert_false(found);
	found = true;
	assert_int_equal(keys_revoke(store, "0123456789abcdef", 5, &found, NULL), 0);
	assert_false(found);
}

static void test_revoked_once(void **state)
{
	char text[KEYS_TEXT_SIZE];
	struct api_key key = make("x", text);
	bool found = false;

	(void)state;
	assert_int_equal(keys_revoke(store, key.id, 1234, &found, NULL), 0);
	assert_true(found);
	assert_int_equal(find(key.id).revoked_at_ms, 1234);
	assert_int_equal(keys_revoke(store, key.id, 9999, &found, NULL), 0);
	assert_true(found);
	assert_int_equal(find(key.id).revoked_at_ms, 1234);
}

static int gather(void *arg, const struct api_key *key, struct error *err)
{
	(void)err;
	strcat(arg, key->name);
	return 0;
}

static int refuse(void *arg, const struct api_key *key, struct error *err)
{
	(void)arg;
	(void)key;
	return error_set(err, ERROR_INTERNAL, "enough");
}

static void test_listed_in_order(void **state)
{
	char text[KEYS_TEXT_SIZE], names[64] = "";
	struct error err = {0};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const char name[] = {(char)('a' + i), '\0'};
		make(name, text);
	}
	/* Made in one millisecond perhaps: then the ids decide. */
	assert_int_equal(database_execute(store->database,
					  "UPDATE api_keys SET created = CASE name WHEN 'a' THEN 3"
					  " WHEN 'b' THEN 1 ELSE 2 END",
					  NULL, 0, NULL),
			 0);
	assert_int_equal(keys_list(store, gather, names, &err), 0);
	assert_string_equal(names, "bca");
	assert_true(keys_list(store, refuse, NULL, &err) < 0);
	assert_string_equal(err.text, "enough");
}

static void test_damaged_rows_open_nothing(void **state)
{
	char text[KEYS_TEXT_SIZE], names[64] = "";
	static const char *const damages[] = {"hash = ''", "collections = ''", "collections = '*,a\n'"};
	char sql[96];

	(void)state;
	for (size_t i = 0; i < array_size(damages); i++) {
		struct api_key key = make("x", text);
		bool found = true;

		snprintf(sql, sizeof(sql), "UPDATE api_keys SET %s", damages[i]);
		assert_int_equal(database_execute(store->database, sql, NULL, 0, NULL), 0);
		assert_int_equal(keys_find(store, key.id, &key, &found, NULL), 0);
		assert_false(found);
	}
	assert_int_equal(keys_list(store, gather, names, NULL), 0);
	assert_string_equal(names, "");
}

static void assert_refused(const char *name, unsigned scopes, double rate, double burst)
{
	char text[KEYS_TEXT_SIZE];
	struct api_key key;
	struct error err = {0};

	const struct key_wish wish = {.name = name, .scopes = scopes, .rate = rate, .burst = burst};

	assert_true(keys_create(store, &wish, text, &key, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
}

static void test_what_no_key_can_be(void **state)
{
	char long_name[KEYS_MAX_NAME_BYTES + 2];

	(void)state;
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_refused("", KEY_MATCH, 1, 1);
	assert_refused(long_name, KEY_MATCH, 1, 1);
	assert_refused("two\nlines", KEY_MATCH, 1, 1);
	assert_refused("\xFF", KEY_MATCH, 1, 1);
	assert_refused("x", 0, 1, 1);
	assert_refused("x", KEY_MATCH, -1, 1);
	assert_refused("x", KEY_MATCH, 1, 0.5);
	assert_refused("x", KEY_MATCH, 1e9, 1);
	assert_refused("x", KEY_MATCH, (double)__builtin_nanf(""), 1);
	long_name[KEYS_MAX_NAME_BYTES] = '\0';
	char text[KEYS_TEXT_SIZE];
	make(long_name, text);
}

/* --- without a store --- */

#define GOOD "ffk_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void test_texts(void **state)
{
	static const char *const bad[] = {
	    "",
	    "ffk_",
	    GOOD "A",
	    "ffk_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "ffk_0123456789abcdeF_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "ffk-0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "ffk_0123456789abcdef-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    /* stray bits, the other alphabet, padding */
	    "ffk_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
	    "ffk_0123456789abcdef_+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "ffk_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	};
	uint8_t hash[KEYS_HASH_SIZE];
	char id[KEYS_ID_SIZE] = "untouched";
	/* SHA-256 of 32 zero bytes */
	static const uint8_t expected[] = {0x66, 0x68, 0x7a, 0xad, 0xf8, 0x62, 0xbd, 0x77, 0x6c, 0x8f, 0xc1,
					   0x8b, 0x8e, 0x9f, 0x8e, 0x20, 0x08, 0x97, 0x14, 0x85, 0x6e, 0xe2,
					   0x33, 0xb3, 0x90, 0x2a, 0x59, 0x1d, 0x0d, 0x5f, 0x29, 0x25};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		assert_false(keys_parse(bad[i], id, hash));
		assert_string_equal(id, "untouched");
	}
	assert_true(keys_parse(GOOD, id, hash));
	assert_string_equal(id, "0123456789abcdef");
	assert_memory_equal(hash, expected, sizeof(hash));
	assert_true(keys_parse("ffk_0123456789abcdef_-_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", id, hash));
}

static void test_scopes(void **state)
{
	static const char *const bad[] = {"", ",", "match,", "match,,enroll", "Match", "match enroll", "everything"};
	char text[KEYS_SCOPES_SIZE];
	unsigned scopes = 77;

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		struct error err = {0};
		assert_true(keys_scopes_parse(bad[i], &scopes, &err) < 0);
		assert_int_equal(err.code, ERROR_CONFIG);
		assert_int_equal(scopes, 77);
	}
	assert_int_equal(keys_scopes_parse("enroll,match,match", &scopes, NULL), 0);
	assert_int_equal(scopes, KEY_MATCH | KEY_ENROLL);
	keys_scopes_print(scopes, text, sizeof(text));
	assert_string_equal(text, "match,enroll");
	assert_int_equal(keys_scopes_parse("admin,schedule,read_all,match,enroll", &scopes, NULL), 0);
	keys_scopes_print(scopes, text, sizeof(text));
	assert_string_equal(text, "match,enroll,read_all,schedule,admin");
	keys_scopes_print(scopes, text, 8);
	assert_string_equal(text, "match,e");
	keys_scopes_print(0, text, sizeof(text));
	assert_string_equal(text, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int keys_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),    cmocka_unit_test(test_scopes),       CASE(test_made_and_found),
	    CASE(test_every_key_is_another), CASE(test_the_secret_is_not_stored), CASE(test_unknown_key),
	    CASE(test_revoked_once),         CASE(test_listed_in_order),          CASE(test_damaged_rows_open_nothing),
	    CASE(test_what_no_key_can_be),   CASE(test_collections_are_kept),
	};

	settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
