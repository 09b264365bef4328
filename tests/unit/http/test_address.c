#include "http/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "run.h"

static bool allowed(const char *allow, const char *text)
{
	struct address_policy *policy = NULL;
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct error err;
	bool result;

	assert_int_equal(address_policy_new(&policy, allow, &err), 0);
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		result = address_allowed(policy, (struct sockaddr *)&v4);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
		result = address_allowed(policy, (struct sockaddr *)&v6);
	}
	address_policy_free(policy);
	return result;
}

static void test_public_addresses_are_allowed(void **state)
{
	static const char *const public[] = {
	    "8.8.8.8",          "1.1.1.1",         "9.255.255.255",     "11.0.0.0",        "100.63.255.255",
	    "100.128.0.0",      "126.255.255.255", "128.0.0.0",         "169.253.255.255", "169.255.0.0",
	    "172.15.255.255",   "172.32.0.0",      "192.0.1.0",         "192.0.3.0",       "192.167.255.255",
	    "192.169.0.0",      "198.17.255.255",  "198.20.0.0",        "223.255.255.255", "2606:4700::1111",
	    "2001:4860::8888",  "2001:200::",      "2003::1",           "3ffe:ffff::1",    "::ffff:8.8.8.8",
	    "64:ff9b::8.8.8.8", "::8.8.8.8",       "2a00:1450:4001::1",
	};

	(void)state;
	for (size_t i = 0; i < array_size(public); i++)
		if (!allowed("", public[i]))
			fail_msg("%s is refused", public[i]);
}

static void test_special_addresses_are_refused(void **state)
{
	static const char *const special[] = {
	    "0.0.0.0",
	    "0.1.2.3",
	    "10.0.0.0",
	    "10.255.255.255",
	    "100.64.0.1",
	    "100.127.255.255",
	    "127.0.0.1",
	    "127.255.255.255",
	    "169.254.169.254",
	    "172.16.0.1",
	    "172.31.255.255",
	    "192.0.0.8",
	    "192.0.2.1",
	    "192.88.99.1",
	    "192.168.0.1",
	    "192.168.255.255",
	    "198.18.0.1",
	    "198.19.255.255",
	    "198.51.100.7",
	    "203.0.113.9",
	    "224.0.0.1",
	    "239.255.255.255",
	    "240.0.0.1",
	    "255.255.255.255",
	    "192.31.196.1",
	    "192.52.193.1",
	    "192.175.48.1",
	    /* IPv6 */
	    "::",
	    "::1",
	    "100::1",
	    "64:ff9b:1::8.8.8.8",
	    "2001::1",
	    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
	    "2001:2::1",
	    "2001:10::1",
	    "2001:20::1",
	    "2001:1ff::1",
	    "2001:db8::1",
	    "2002:808:808::1",
	    "2620:4f:8000::1",
	    "3fff::1",
	    "3fff:fff::1",
	    "4000::1",
	    "5f00::1",
	    "fc00::1",
	    "fdff::1",
	    "fe80::1",
	    "febf::1",
	    "fec0::1",
	    "ff02::1",
	    "ff0e::1",
	    "1fff::1",
	    /* with an IPv4 address inside */
	    "::ffff:127.0.0.1",
	    "::ffff:10.1.2.3",
	    "::ffff:169.254.169.254",
	    "::ffff:0.0.0.0",
	    "::127.0.0.1",
	    "64:ff9b::10.0.0.1",
	    "64:ff9b::127.0.0.1",
	    "::ffff:0:8.8.8.8",
	};

	(void)state;
	for (size_t i = 0; i < array_size(special); i++)
		if (allowed("", special[i]))
			fail_msg("%s is allowed", special[i]);
}

static void test_other_families_are_refused(void **state)
{
	struct address_policy *policy = NULL;
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct error err;

	(void)state;
	assert_int_equal(address_policy_new(&policy, "0.0.0.0/0, ::/0", &err), 0);
	assert_false(address_allowed(policy, (struct sockaddr *)&local));
	address_policy_free(policy);
}

static void test_the_list_opens_exactly_its_networks(void **state)
{
	static const char list[] = " 10.1.0.0/16 ,192.168.7.8, fd00:2::/31,::1 ,172.16.0.0/13";

	(void)state;
	assert_true(allowed(list, "10.1.0.0"));
	assert_true(allowed(list, "10.1.255.255"));
	assert_false(allowed(list, "10.2.0.0"));
	assert_false(allowed(list, "10.0.255.255"));
	assert_true(allowed(list, "192.168.7.8"));
	assert_false(allowed(list, "192.168.7.9"));
	assert_true(allowed(list, "172.23.255.255"));
	assert_false(allowed(list, "172.24.0.0"));
	assert_true(allowed(list, "fd00:3:ffff::1"));
	assert_false(allowed(list, "fd00:4::1"));
	assert_true(allowed(list, "::1"));
	assert_false(allowed(list, "127.0.0.1"));
	assert_true(allowed(list, "8.8.8.8"));
	/* The same network in its IPv6 clothes. */
	assert_true(allowed(list, "::ffff:10.1.2.3"));
	assert_true(allowed(list, "64:ff9b::10.1.2.3"));
	assert_false(allowed(list, "::ffff:10.2.2.3"));
	assert_true(allowed("0.0.0.0/0,::/0", "fe80::1"));
}

static void check_bad(const char *list, const char *named)
{
	struct address_policy *policy = NULL;
	struct error err = {0};

	assert_true(address_policy_new(&policy, list, &err) < 0);
	assert_null(policy);
	assert_int_equal(err.code, ERROR_CONFIG);
	if (!strstr(err.text, named))
		fail_msg("no %s in: %s", named, err.text);
}

static void test_bad_entries_are_named(void **state)
{
	(void)state;
	check_bad("10.0.0.0/8, example.com", "\"example.com\" is not an address");
	check_bad("10.0.0.0/33", "\"10.0.0.0/33\" has no valid prefix length");
	check_bad("fd00::/129", "\"fd00::/129\" has no valid prefix length");
	check_bad("10.0.0.0/", "prefix length");
	check_bad("10.0.0.0/-1", "prefix length");
	check_bad("10.0.0.0/8/8", "prefix length");
	check_bad("10.0.0.1/8", "\"10.0.0.1/8\" has bits set behind its prefix");
	check_bad("10.0.0", "not an address");
	check_bad("010.0.0.1", "not an address");
	check_bad("10.0.0.0/8,,::1", "\"\" is not an address");
	check_bad("10.0.0.0/8,", "\"\" is not an address");
	check_bad("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "not an address");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_public_addresses_are_allowed), cmocka_unit_test(test_special_addresses_are_refused),
    cmocka_unit_test(test_other_families_are_refused),   cmocka_unit_test(test_the_list_opens_exactly_its_networks),
    cmocka_unit_test(test_bad_entries_are_named),
};

RUN_TESTS(tests)
