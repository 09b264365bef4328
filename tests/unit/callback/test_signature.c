#include "run.h"

#include <stdio.h>
#include <string.h>

#include "callback/signature.h"

/* The test vector of the Standard Webhooks specification. */
#define SPEC_KEY "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SPEC_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define SPEC_TIMESTAMP 1614265330
#define SPEC_BODY "{\"test\": 2432232314}"
#define SPEC_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

/* 32 bytes of zero, 23 and 65 bytes of zero. */
#define ZERO_KEY "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_OF_23 "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_OF_65 "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_OF_64 "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

static void sign_spec(const char *keys_text, struct buffer *out)
{
	struct signature_keys *keys;
	struct error err;

	assert_int_equal(signature_keys_new(&keys, keys_text, &err), 0);
	assert_int_equal(
	    signature_sign(keys, SPEC_ID, SPEC_TIMESTAMP, (const uint8_t *)SPEC_BODY, strlen(SPEC_BODY), out), 0);
	signature_keys_free(keys);
}

static void specification_vector(void **state)
{
	(void)state;
	cleanup_with(buffer_finish) struct buffer out = {0};

	sign_spec(SPEC_KEY, &out);
	assert_string_equal((const char *)out.data, SPEC_SIGNATURE);
}

static void one_signature_for_each_key(void **state)
{
	(void)state;
	cleanup_with(buffer_finish) struct buffer both = {0};
	cleanup_with(buffer_finish) struct buffer zero = {0};
	char expected[256];

	sign_spec(ZERO_KEY, &zero);
	sign_spec("  " SPEC_KEY "  " ZERO_KEY "\n", &both);
	snprintf(expected, sizeof(expected), "%s %s", SPEC_SIGNATURE, (const char *)zero.data);
	assert_string_equal((const char *)both.data, expected);
	assert_string_not_equal((const char *)zero.data, SPEC_SIGNATURE);
}

static void refuse(const char *text, const char *why)
{
	struct signature_keys *keys = NULL;
	struct error err = {0};

	assert_int_not_equal(signature_keys_new(&keys, text, &err), 0);
	assert_null(keys);
	assert_int_equal(err.code, ERROR_CONFIG);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void refuses_bad_keys(void **state)
{
	(void)state;
	refuse("", "no key");
	refuse(" \n", "no key");
	refuse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_");
	refuse("whsec_", "has 0 bytes");
	refuse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "not base64");
	refuse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", "not base64");
	refuse(KEY_OF_23, "has 23 bytes");
	refuse(KEY_OF_65, "has 65 bytes");
	refuse(KEY_OF_64 "AAAA", "longer than 64 bytes");
	refuse(SPEC_KEY " whsec_short", "key 2");
	refuse(SPEC_KEY " " SPEC_KEY " " SPEC_KEY " " SPEC_KEY " " SPEC_KEY, "more than 4");
}

static void never_shows_a_key(void **state)
{
	(void)state;
	struct signature_keys *keys;
	struct error err = {0};

	assert_int_not_equal(signature_keys_new(&keys, "whsec_c2VjcmV0c2VjcmV0", &err), 0);
	assert_null(strstr(err.text, "c2Vj"));
}

static void takes_the_longest_key(void **state)
{
	(void)state;
	cleanup_with(buffer_finish) struct buffer out = {0};

	sign_spec(KEY_OF_64, &out);
	assert_int_equal(strncmp((const char *)out.data, "v1,", 3), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(specification_vector),  cmocka_unit_test(one_signature_for_each_key),
    cmocka_unit_test(refuses_bad_keys),      cmocka_unit_test(never_shows_a_key),
    cmocka_unit_test(takes_the_longest_key),
};

RUN_TESTS(tests)
