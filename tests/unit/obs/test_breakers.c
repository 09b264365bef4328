#include "obs/breakers.h"

#include <string.h>

#include "run.h"

static const struct breaker_settings settings = {.window_ms = 60000, .least = 3, .share = 0.5, .open_ms = 60000};
/* Open for so short that it may be tried again at once. */
static const struct breaker_settings quick = {.window_ms = 60000, .least = 1, .share = 0.5, .open_ms = 1};

static void expect_page(struct metrics *m, const char *words)
{
	struct buffer page = {0};

	assert_int_equal(metrics_render(m, &page), 0);
	assert_int_equal(buffer_append(&page, "", 1), 0);
	if (!strstr((const char *)page.data, words))
		fail_msg("%s is not in\n%s", words, (const char *)page.data);
	buffer_finish(&page);
}

static void fail_often(struct breakers *b, const char *name, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		unsigned ticket = breakers_allow(b, NULL, name);

		assert_true(ticket);
		breakers_report(b, NULL, name, ticket, false);
	}
}

/* Who may try, as soon as somebody may. */
static unsigned wait_for_turn(struct breakers *b, const char *name)
{
	unsigned ticket;

	while (!(ticket = breakers_allow(b, NULL, name)))
		; /* a millisecond */
	return ticket;
}

static void test_each_name_has_its_own(void **state)
{
	struct metrics *m = metrics_new();
	struct breakers *b = breakers_new("image_host", &settings, 10, m);

	(void)state;
	fail_often(b, "https://bad:443", 3);
	fail_often(b, "https://weak:443", 2);
	assert_false(breakers_allow(b, NULL, "https://bad:443"));
	assert_true(breakers_wait_ms(b, "https://bad:443") > 0);
	assert_true(breakers_allow(b, NULL, "https://weak:443"));
	assert_true(breakers_allow(b, NULL, "https://unheard.of:443"));
	assert_int_equal(breakers_wait_ms(b, "https://weak:443"), 0);
	assert_int_equal(breakers_wait_ms(b, "https://unheard.of:443"), 0);
	expect_page(m, "facefleet_breakers_open{of=\"image_host\"} 1\n");
	expect_page(m, "facefleet_breaker_changes_total{of=\"image_host\",to=\"open\"} 1\n");
	breakers_free(b);
	metrics_free(m);
}

static void test_a_success_closes_it(void **state)
{
	struct metrics *m = metrics_new();
	struct breakers *b = breakers_new("store", &quick, 1, m);

	(void)state;
	fail_often(b, "store", 1);
	breakers_report(b, NULL, "store", wait_for_turn(b, "store"), true);
	expect_page(m, "facefleet_breakers_open{of=\"store\"} 0\n");
	expect_page(m, "facefleet_breaker_changes_total{of=\"store\",to=\"half_open\"} 1\n");
	expect_page(m, "facefleet_breaker_changes_total{of=\"store\",to=\"closed\"} 1\n");
	breakers_free(b);
	metrics_free(m);
}

static void test_who_withdraws_leaves_the_try_to_another(void **state)
{
	static const struct breaker_settings slow = {.window_ms = 60000, .least = 1, .share = 0.5, .open_ms = 200};
	struct metrics *m = metrics_new();
	struct breakers *b = breakers_new("store", &slow, 1, m);

	(void)state;
	breakers_withdraw(b, "store", breakers_allow(b, NULL, "store")); /* of whom nothing is known */
	fail_often(b, "store", 1);
	breakers_withdraw(b, "store", wait_for_turn(b, "store"));
	assert_int_equal(breakers_wait_ms(b, "store"), 0);
	assert_true(breakers_allow(b, NULL, "store"));
	breakers_free(b);
	metrics_free(m);
}

static void test_what_is_forgotten_is_not_counted(void **state)
{
	struct metrics *m = metrics_new();
	struct breakers *b = breakers_new("image_host", &settings, 1, m);

	(void)state;
	fail_often(b, "a", 3);
	fail_often(b, "b", 1);
	expect_page(m, "facefleet_breakers_open{of=\"image_host\"} 0\n");
	assert_true(breakers_allow(b, NULL, "a"));
	breakers_free(b);
	metrics_free(m);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_each_name_has_its_own),
    cmocka_unit_test(test_a_success_closes_it),
    cmocka_unit_test(test_who_withdraws_leaves_the_try_to_another),
    cmocka_unit_test(test_what_is_forgotten_is_not_counted),
};

RUN_TESTS(tests)
