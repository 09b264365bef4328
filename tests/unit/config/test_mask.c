#include "config/mask.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"

static void check(const char *secret, const char *expected)
{
	char *masked = mask_secret(secret);

	assert_string_equal(masked, expected);
	free(masked);
}

static void test_urls_keep_all_but_the_password(void **state)
{
	(void)state;
	check("amqp://guest:guest@127.0.0.1:5672/", "amqp://guest:***@127.0.0.1:5672/");
	check("amqps://u:p@a/x,amqps://u:q@b:5671/%2f", "amqps://u:***@a/x,amqps://u:***@b:5671/%2f");
	check("amqp://host/", "amqp://host/");
	check("amqp://host", "amqp://host");
	check("amqp://token@host/", "amqp://***@host/");
	check("amqp://u:@host", "amqp://u:***@host");
	check("amqp://u:p@[::1]:5672/", "amqp://u:***@[::1]:5672/");
	check("amqp://u:p@host/?password=secret", "amqp://u:***@host/?***");
	check("amqp://u:p@host#secret", "amqp://u:***@host#***");
}

static void test_other_secrets_are_hidden(void **state)
{
	(void)state;
	check("", "");
	check("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "***");
	check("a,b", "***");
	check("amqp://u:p@a,secret", "***");
}

static void test_doubtful_urls_are_hidden_altogether(void **state)
{
	(void)state;
	check("amqp://u:pass/word@host/", "***"); /* a raw slash in the password */
	check("amqp://u:pass,word@host/", "***"); /* a raw comma */
	check("amqp://u:pass?word@host/", "***"); /* a raw question mark */
	check("amqp://u:p@ss@host/", "amqp://u:***@host/");
	check("amqp://u:p@host/a@b", "***");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_urls_keep_all_but_the_password),
    cmocka_unit_test(test_other_secrets_are_hidden),
    cmocka_unit_test(test_doubtful_urls_are_hidden_altogether),
};

RUN_TESTS(tests)
