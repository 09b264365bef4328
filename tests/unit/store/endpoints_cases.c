#include "../run.h"

#include <stdio.h>
#include <string.h>

#include "endpoints_cases.h"
#include "store/endpoints.h"
#include "store/store_private.h"

#define HOOKS "https://example.com/hooks"

static struct store_settings settings = {.timeout_ms = 20000};
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	if (store_migrate(&settings, NULL, NULL, NULL) < 0 || store_open(&store, &settings, NULL) < 0)
		return -1;
	return database_execute(store->database, "DELETE FROM callback_endpoints", NULL, 0, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static enum endpoints_outcome set_secret(const char *prefix, bool rotate, int64_t now_ms,
					 char secret[ENDPOINTS_SECRET_SIZE])
{
	enum endpoints_outcome outcome;
	struct error err = {0};

	if (endpoints_set_secret(store, prefix, rotate, now_ms, secret, &outcome, &err) < 0)
		fail_msg("%s", err.text);
	return outcome;
}

struct search {
	const char *prefix;
	struct callback_endpoint found;
	unsigned count;
};

static int look_at(void *arg, const struct callback_endpoint *endpoint, struct error *err)
{
	struct search *search = arg;

	(void)err;
	search->count++;
	if (strcmp(endpoint->prefix, search->prefix) == 0)
		search->found = *endpoint;
	return 0;
}

static struct callback_endpoint find(const char *prefix)
{
	struct search search = {.prefix = prefix};
	struct error err = {0};

	if (endpoints_list(store, look_at, &search, &err) < 0)
		fail_msg("%s", err.text);
	return search.found;
}

static unsigned count(void)
{
	struct search search = {.prefix = ""};

	assert_int_equal(endpoints_list(store, look_at, &search, NULL), 0);
	return search.count;
}

static bool disable(const char *prefix, const char *reason, int64_t now_ms)
{
	struct error err = {0};
	bool done;

	if (endpoints_disable(store, prefix, reason, now_ms, &done, &err) < 0)
		fail_msg("%s", err.text);
	return done;
}

static bool enable(const char *prefix)
{
	struct error err = {0};
	bool found;

	if (endpoints_enable(store, prefix, &found, &err) < 0)
		fail_msg("%s", err.text);
	return found;
}

static void test_first_secret(void **state)
{
	char secret[ENDPOINTS_SECRET_SIZE], again[ENDPOINTS_SECRET_SIZE] = "untouched";

	(void)state;
	assert_int_equal(set_secret(HOOKS, false, 1000, secret), ENDPOINTS_MADE);
	assert_int_equal(strlen(secret), ENDPOINTS_SECRET_SIZE - 1);
	assert_memory_equal(secret, "whsec_", 6);
	assert_int_equal(set_secret(HOOKS, false, 2000, again), ENDPOINTS_EXISTS);
	assert_string_equal(again, "untouched");
	struct callback_endpoint endpoint = find(HOOKS);
	assert_string_equal(endpoint.secret, secret);
	assert_string_equal(endpoint.old_secret, "");
	assert_int_equal(endpoint.created_at_ms, 1000);
	assert_int_equal(endpoint.rotated_at_ms, 0);
	assert_int_equal(endpoint.disabled_at_ms, 0);
}

static void test_rotation_keeps_the_one_before(void **state)
{
	char secrets[3][ENDPOINTS_SECRET_SIZE];

	(void)state;
	assert_int_equal(set_secret(HOOKS, true, 1000, secrets[0]), ENDPOINTS_MADE);
	assert_int_equal(set_secret(HOOKS, true, 2000, secrets[1]), ENDPOINTS_ROTATED);
	assert_string_not_equal(secrets[0], secrets[1]);
	struct callback_endpoint endpoint = find(HOOKS);
	assert_string_equal(endpoint.secret, secrets[1]);
	assert_string_equal(endpoint.old_secret, secrets[0]);
	assert_int_equal(endpoint.rotated_at_ms, 2000);
	assert_int_equal(set_secret(HOOKS, true, 3000, secrets[2]), ENDPOINTS_ROTATED);
	endpoint = find(HOOKS);
	assert_string_equal(endpoint.secret, secrets[2]);
	assert_string_equal(endpoint.old_secret, secrets[1]);
	assert_int_equal(endpoint.created_at_ms, 1000);
}

static void test_off_and_on(void **state)
{
	char secret[ENDPOINTS_SECRET_SIZE];

	(void)state;
	assert_int_equal(set_secret(HOOKS, false, 1000, secret), ENDPOINTS_MADE);
	assert_true(disable(HOOKS, "HTTP 410", 2000));
	assert_false(disable(HOOKS, "again", 3000));
	struct callback_endpoint endpoint = find(HOOKS);
	assert_int_equal(endpoint.disabled_at_ms, 2000);
	assert_string_equal(endpoint.reason, "HTTP 410");
	assert_string_equal(endpoint.secret, secret);
	assert_true(enable(HOOKS));
	endpoint = find(HOOKS);
	assert_int_equal(endpoint.disabled_at_ms, 0);
	assert_string_equal(endpoint.reason, "");
	assert_string_equal(endpoint.secret, secret);
	assert_true(disable(HOOKS, "HTTP 410", 4000));
}

static void test_off_without_a_secret(void **state)
{
	char secret[ENDPOINTS_SECRET_SIZE], reason[400];

	(void)state;
	memset(reason, 'r', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	assert_true(disable(HOOKS, reason, 2000));
	assert_int_equal(strlen(find(HOOKS).reason), ENDPOINTS_REASON_SIZE - 1);
	assert_true(enable(HOOKS));
	assert_int_equal(count(), 0);
	assert_false(enable(HOOKS));
	/* A secret leaves it off. */
	assert_true(disable(HOOKS, "x", 2000));
	assert_int_equal(set_secret(HOOKS, false, 3000, secret), ENDPOINTS_MADE);
	struct callback_endpoint endpoint = find(HOOKS);
	assert_int_equal(endpoint.disabled_at_ms, 2000);
	assert_int_equal(endpoint.rotated_at_ms, 0);
	assert_string_equal(endpoint.old_secret, "");
}

static void test_removed(void **state)
{
	char secret[ENDPOINTS_SECRET_SIZE];
	bool found = false;

	(void)state;
	assert_int_equal(set_secret(HOOKS, false, 1000, secret), ENDPOINTS_MADE);
	assert_int_equal(endpoints_remove(store, HOOKS, &found, NULL), 0);
	assert_true(found);
	assert_int_equal(count(), 0);
	assert_int_equal(endpoints_remove(store, HOOKS, &found, NULL), 0);
	assert_false(found);
}

static void test_no_more_than_the_maximum(void **state)
{
	char sql[300], secret[ENDPOINTS_SECRET_SIZE];

	(void)state;
	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		 " INSERT INTO callback_endpoints (prefix, created) SELECT 'host' || i, 1 FROM n",
		 ENDPOINTS_MAX);
	assert_int_equal(database_execute(store->database, sql, NULL, 0, NULL), 0);
	assert_int_equal(set_secret(HOOKS, false, 1000, secret), ENDPOINTS_TOO_MANY);
	assert_false(disable(HOOKS, "x", 1000));
	assert_int_equal(count(), ENDPOINTS_MAX);
	assert_int_equal(set_secret("host7", false, 1000, secret), ENDPOINTS_MADE);
	assert_true(disable("host7", "x", 1000));
}

/* --- names --- */

static void test_one_spelling(void **state)
{
	static const char *const spellings[][2] = {
	    {"Hooks.Example.com", "hooks.example.com"},
	    {"[::1]", "[::1]"},
	    {"HTTPS://Example.com", "https://example.com/"},
	    {"https://example.com:443/Hooks", "https://example.com/Hooks"},
	    {"http://example.com:80?x=1", "http://example.com/"},
	    {"http://example.com:443/a/", "http://example.com:443/a/"},
	    {"http://example.com:8080/a?b#c", "http://example.com:8080/a"},
	    {"http://[::1]:80/a#c", "http://[::1]/a"},
	    {"https://example.com/a/../b", "https://example.com/"},
	    {"https://example.com/a/%2E%2e", "https://example.com/"},
	    {"https://example.com/./b", "https://example.com/"},
	    {"https://example.com/a/.../.b/c..", "https://example.com/a/.../.b/c.."},
	};
	char out[ENDPOINTS_PREFIX_SIZE];
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < array_size(spellings); i++) {
		if (endpoints_canonical(spellings[i][0], out, &err) < 0)
			fail_msg("%s: %s", spellings[i][0], err.text);
		assert_string_equal(out, spellings[i][1]);
	}
}

static void test_no_names(void **state)
{
	char long_url[ENDPOINTS_PREFIX_SIZE + 30] = "https://example.com/";
	const char *const bad[] = {"",
				   "example.com/hooks",
				   "example.com:80",
				   "[::1]:80",
				   "[::1",
				   "a b",
				   "ftp://example.com/",
				   "https://user@example.com/",
				   "https://",
				   long_url};
	char out[ENDPOINTS_PREFIX_SIZE] = "untouched";

	(void)state;
	memset(long_url + strlen(long_url), 'a', ENDPOINTS_PREFIX_SIZE);
	for (size_t i = 0; i < array_size(bad); i++) {
		struct error err = {0};
		if (endpoints_canonical(bad[i], out, &err) == 0)
			fail_msg("%s is no name", bad[i]);
		assert_int_equal(err.code, ERROR_CONFIG);
		assert_string_equal(out, "untouched");
	}
}

static void test_the_closest_fit(void **state)
{
	static const char url[] = "https://example.com/hooks/a";
	static const char *const rising[] = {"example.com", "https://example.com/", "https://example.com/hooks",
					     "https://example.com/hooks/", "https://example.com/hooks/a"};
	static const char *const others[] = {"example.co",
					     "xample.com",
					     "https://example.com/hook",
					     "https://example.com/hooks/a/",
					     "https://example.com/hooks/ab",
					     "http://example.com/",
					     "https://example.com:8443/",
					     "https://example.co"};
	unsigned before = 0;

	(void)state;
	for (size_t i = 0; i < array_size(rising); i++) {
		unsigned fit = endpoints_fit(rising[i], url);
		assert_true(fit > before);
		before = fit;
	}
	for (size_t i = 0; i < array_size(others); i++)
		assert_int_equal(endpoints_fit(others[i], url), 0);
	assert_true(endpoints_fit("[::1]", "http://[::1]:8080/a") > 0);
	assert_true(endpoints_fit("example.com", "http://example.com:8080/a") > 0);
	assert_int_equal(endpoints_fit("example.com", "https://example.com.evil.example/"), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int endpoints_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_spelling),      cmocka_unit_test(test_no_names),
	    cmocka_unit_test(test_the_closest_fit),   CASE(test_first_secret),
	    CASE(test_rotation_keeps_the_one_before), CASE(test_off_and_on),
	    CASE(test_off_without_a_secret),          CASE(test_removed),
	    CASE(test_no_more_than_the_maximum),
	};

	settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
