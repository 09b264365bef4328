#include "../run.h"

#include <string.h>

#include "store/database.h"
#include "store/postgres_url.h"

/* What is wrong with a URL is said without its parts: with a misplaced character any of them may be the password's. */
static void test_a_malformed_url_is_not_quoted(void **state)
{
	static const char *const urls[] = {
	    "postgresql://user:SE%CRET@127.0.0.1:1/db", "postgresql://user:SE/CRET@127.0.0.1:1/db",
	    "postgresql://user:SE@CRET@127.0.0.1:1/db", "postgresql://user:SE?CRET@127.0.0.1:1/db",
	    "postgresql://user:SE#CRET@127.0.0.1:1/db", "postgresql://user:SECRET@127.0.0.1:1x/db",
	    "postgresql://user:SE[CRET@127.0.0.1:1/db", "postgresql://127.0.0.1:1/db?password=SECRET&x",
	    "postgresql://[user:SECRET@127.0.0.1:1/db",
	};

	(void)state;
	for (size_t i = 0; i < array_size(urls); i++) {
		const struct database_opening opening = {.url = urls[i], .timeout_ms = 1000};
		struct database *database;
		struct error err = {0};

		assert_true(database_open(&database, &opening, &err) < 0);
		if (strstr(err.text, "SE") || strstr(err.text, "CRET"))
			fail_msg("%s: %s", urls[i], err.text);
	}
}

static void test_urls_that_can_be_read(void **state)
{
	static const char *const urls[] = {
	    "postgresql://127.0.0.1/db",
	    "postgres://user:SE%25%2F%40%3ACRET@host:5432/db?sslmode=require",
	    "postgresql://user@[::1]:5432/db",
	    "postgresql://user:secret@one:5432,two:5433/db?target_session_attrs=read-write",
	    "postgresql:///db?host=/run/postgresql&user=a@b",
	    "postgresql://%2Frun%2Fpostgresql/db",
	};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < array_size(urls); i++)
		if (postgres_url_check(urls[i], &err) < 0)
			fail_msg("%s: %s", urls[i], err.text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_malformed_url_is_not_quoted),
    cmocka_unit_test(test_urls_that_can_be_read),
};

RUN_TESTS(tests)
