#include "run.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "callback/registry.h"
#include "files.h"
#include "job/job.h"
#include "store/store_private.h"
#include "wait.h"

#define HOOKS "https://shop.example/hooks"
#define SOON_MS 10
#define NEVER_MS 3600000

static struct store_files files;
static struct store_settings settings;
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	if (store_files_init(&files) < 0)
		return -1;
	settings = (struct store_settings){.url = files.urls[0], .timeout_ms = 5000};
	return store_migrate(&settings, NULL, NULL, NULL) < 0 ? -1 : store_open(&store, &settings, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	store_files_finish(&files);
	return 0;
}

static struct registry *start(int64_t refresh_ms)
{
	struct registry *registry = registry_new(&settings, refresh_ms);

	assert_non_null(registry);
	assert_int_equal(registry_start(registry), 0);
	return registry;
}

static void make_secret(const char *prefix, bool rotate)
{
	char secret[ENDPOINTS_SECRET_SIZE];
	enum endpoints_outcome outcome;

	assert_int_equal(endpoints_set_secret(store, prefix, rotate, clock_unix_ms(), secret, &outcome, NULL), 0);
	assert_int_equal(outcome, rotate ? ENDPOINTS_ROTATED : ENDPOINTS_MADE);
}

static void run(const char *sql)
{
	struct error err = {0};

	if (database_execute(store->database, sql, NULL, 0, &err) < 0)
		fail_msg("%s", err.text);
}

static struct registry_entry look(struct registry *registry, const char *url)
{
	struct registry_entry entry;

	registry_look(registry, url, &entry);
	return entry;
}

/* How many signatures the keys make, 0 without any. */
static unsigned signatures(const struct signature_keys *keys)
{
	struct buffer text = {0};
	unsigned count = 0;

	if (!keys)
		return 0;
	assert_int_equal(signature_sign(keys, "id", 1, (const uint8_t *)"{}", 2, &text), 0);
	for (const char *at = (const char *)text.data; (at = strstr(at, "v1,")); at++)
		count++;
	buffer_finish(&text);
	return count;
}

static void the_closest_name_counts(void **state)
{
	struct registry_entry entry;

	(void)state;
	make_secret("shop.example", false);
	make_secret(HOOKS, false);
	make_secret(HOOKS, true);
	struct registry *registry = start(NEVER_MS);
	entry = look(registry, HOOKS "/1?x=y");
	assert_int_equal(signatures(entry.keys), 2);
	assert_null(entry.disabled);
	assert_int_equal(signatures(look(registry, "http://SHOP.example:8080/").keys), 1);
	assert_int_equal(signatures(look(registry, "https://other.example/hooks").keys), 0);
	assert_int_equal(signatures(look(registry, "no URL").keys), 0);
	registry_free(registry);
}

/* Names are shorter than URLs may be. */
static void a_long_url_has_its_endpoint(void **state)
{
	char url[JOB_MAX_URL_BYTES + 1];
	bool done;

	(void)state;
	make_secret("shop.example", false);
	assert_int_equal(endpoints_disable(store, HOOKS, "because", 1, &done, NULL), 0);
	struct registry *registry = start(NEVER_MS);
	snprintf(url, sizeof(url), HOOKS "/%02000d", 1);
	assert_non_null(look(registry, url).disabled);
	snprintf(url, sizeof(url), "https://shop.example/%02000d", 1);
	assert_int_equal(signatures(look(registry, url).keys), 1);
	registry_free(registry);
}

static void the_old_secret_ends(void **state)
{
	(void)state;
	make_secret(HOOKS, false);
	make_secret(HOOKS, true);
	run("UPDATE callback_endpoints SET rotated = rotated - 86400000");
	struct registry *registry = start(NEVER_MS);
	assert_int_equal(signatures(look(registry, HOOKS).keys), 1);
	registry_free(registry);
}

static void a_damaged_secret_is_none(void **state)
{
	(void)state;
	make_secret(HOOKS, false);
	run("UPDATE callback_endpoints SET secret = 'whsec_!'");
	struct registry *registry = start(NEVER_MS);
	assert_null(look(registry, HOOKS).keys);
	registry_free(registry);
}

static void changes_are_seen(void **state)
{
	struct registry *registry = start(SOON_MS);
	bool done = false;

	(void)state;
	assert_null(look(registry, HOOKS).keys);
	make_secret(HOOKS, false);
	WAIT_UNTIL(signatures(look(registry, HOOKS).keys) == 1);
	make_secret(HOOKS, true);
	WAIT_UNTIL(signatures(look(registry, HOOKS).keys) == 2);
	assert_int_equal(endpoints_disable(store, HOOKS, "because", 1, &done, NULL), 0);
	WAIT_UNTIL(look(registry, HOOKS).disabled);
	assert_string_equal(look(registry, HOOKS).disabled, "because");
	assert_int_equal(endpoints_enable(store, HOOKS, &done, NULL), 0);
	WAIT_UNTIL(!look(registry, HOOKS).disabled);
	assert_int_equal(signatures(look(registry, HOOKS).keys), 2);
	registry_free(registry);
}

struct search {
	const char *prefix;
	char reason[ENDPOINTS_REASON_SIZE];
};

static int look_at(void *arg, const struct callback_endpoint *endpoint, struct error *err)
{
	struct search *search = arg;

	(void)err;
	if (strcmp(endpoint->prefix, search->prefix) == 0)
		strcpy(search->reason, endpoint->reason);
	return 0;
}

static bool is_stored(const char *prefix, const char *reason)
{
	struct search search = {.prefix = prefix};

	assert_int_equal(endpoints_list(store, look_at, &search, NULL), 0);
	return strcmp(search.reason, reason) == 0;
}

static void switched_off_at_once_and_in_the_store(void **state)
{
	struct registry *registry = start(SOON_MS);
	bool found = false;

	(void)state;
	make_secret(HOOKS, false);
	WAIT_UNTIL(look(registry, HOOKS).keys);
	assert_true(registry_disable(registry, HOOKS "/1?token=x", "gone"));
	assert_string_equal(look(registry, HOOKS "/2").disabled, "gone");
	assert_non_null(look(registry, HOOKS "/2").keys);
	WAIT_UNTIL(is_stored(HOOKS, "gone"));
	assert_true(registry_disable(registry, "https://other.example/a/b?token=x", "gone too"));
	assert_string_equal(look(registry, "https://other.example/a/b").disabled, "gone too");
	assert_null(look(registry, "https://other.example/a").disabled);
	WAIT_UNTIL(is_stored("https://other.example/a/b", "gone too"));
	assert_int_equal(endpoints_enable(store, HOOKS, &found, NULL), 0);
	WAIT_UNTIL(!look(registry, HOOKS).disabled);
	assert_string_equal(look(registry, "https://other.example/a/b").disabled, "gone too");
	registry_free(registry);
}

static void what_was_heard_last_is_stored_at_the_end(void **state)
{
	struct registry *registry = start(NEVER_MS);

	(void)state;
	assert_true(registry_disable(registry, HOOKS, "gone"));
	registry_free(registry);
	assert_true(is_stored(HOOKS, "gone"));
}

static void the_last_answer_counts(void **state)
{
	(void)state;
	make_secret(HOOKS, false);
	struct registry *registry = start(SOON_MS);
	run("ALTER TABLE callback_endpoints RENAME TO hidden");
	assert_true(registry_disable(registry, "https://other.example/", "gone"));
	for (unsigned i = 0; i < REGISTRY_MAX_GONE - 1; i++) {
		char url[64];
		snprintf(url, sizeof(url), "https://other.example/%u", i);
		(void)registry_disable(registry, url, "gone");
	}
	assert_int_equal(signatures(look(registry, HOOKS).keys), 1);
	assert_non_null(look(registry, "https://other.example/").disabled);
	run("ALTER TABLE hidden RENAME TO callback_endpoints");
	WAIT_UNTIL(is_stored("https://other.example/", "gone"));
	assert_int_equal(signatures(look(registry, HOOKS).keys), 1);
	registry_free(registry);
}

static void only_so_many_wait_for_the_store(void **state)
{
	struct registry *registry = start(NEVER_MS);
	char url[64];

	(void)state;
	for (unsigned i = 0; i <= REGISTRY_MAX_GONE; i++) {
		snprintf(url, sizeof(url), "https://host%u.example/", i);
		assert_int_equal(registry_disable(registry, url, "gone"), i < REGISTRY_MAX_GONE);
	}
	assert_null(look(registry, url).disabled);
	registry_free(registry);
}

static void a_store_that_comes_later(void **state)
{
	const char *file = strchr(files.urls[1], ':') + 1;

	(void)state;
	settings.url = files.urls[1];
	struct registry *registry = start(SOON_MS);
	assert_null(look(registry, HOOKS).keys);
	assert_int_not_equal(access(file, F_OK), 0);
	store_close(store);
	assert_int_equal(store_migrate(&settings, NULL, NULL, NULL), 0);
	assert_int_equal(store_open(&store, &settings, NULL), 0);
	make_secret(HOOKS, false);
	WAIT_UNTIL(look(registry, HOOKS).keys);
	registry_free(registry);
}

static void without_a_store(void **state)
{
	(void)state;
	assert_null(look(NULL, HOOKS).keys);
	assert_null(look(NULL, HOOKS).disabled);
	assert_false(registry_disable(NULL, HOOKS, "gone"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(the_closest_name_counts),
    CASE(a_long_url_has_its_endpoint),
    CASE(the_old_secret_ends),
    CASE(a_damaged_secret_is_none),
    CASE(changes_are_seen),
    CASE(switched_off_at_once_and_in_the_store),
    CASE(what_was_heard_last_is_stored_at_the_end),
    CASE(the_last_answer_counts),
    CASE(only_so_many_wait_for_the_store),
    CASE(a_store_that_comes_later),
    cmocka_unit_test(without_a_store),
};

RUN_TESTS(tests)
