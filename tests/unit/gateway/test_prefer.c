#include "gateway/prefer.h"

#include "base/compiler.h"
#include "run.h"

static void test_headers(void **state)
{
	static const struct {
		const char *text;
		int64_t wait_ms; /* -1: none */
		bool respond_async;
	} cases[] = {
	    {NULL, -1, false},
	    {"", -1, false},
	    {"wait=5", 5000, false},
	    {"Wait = 5", 5000, false},
	    {"wait=\"7\"", 7000, false},
	    {"wait=31", 30000, false},
	    {"wait=999999999", 30000, false},
	    {"wait=9999999999", -1, false},
	    {"wait=0", 0, false},
	    {"wait", -1, false},
	    {"wait=", -1, false},
	    {"wait=-1", -1, false},
	    {"wait=5s", -1, false},
	    {"wait=\"5", -1, false},
	    {"waiting=5", -1, false},
	    {"respond-async", -1, true},
	    {"respond-async, wait=5", 5000, true},
	    {"wait=5; x=1, Respond-Async", 5000, true},
	    {"return=minimal, foo=\"a, wait=9\", wait=3", 3000, false},
	    {"foo=\"\\\", wait=9\", wait=3", 3000, false},
	    {"wait=3, wait=9", 3000, false},
	    {"wait=x, wait=9", 9000, false},
	    {",,, ,wait=2", 2000, false},
	    {"foo=\"unending, wait=2", -1, false},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct prefer prefer;

		prefer_read(&prefer, cases[i].text, 30000);
		if (prefer.has_wait != (cases[i].wait_ms >= 0) ||
		    (prefer.has_wait && prefer.wait_ms != cases[i].wait_ms) ||
		    prefer.respond_async != cases[i].respond_async)
			fail_msg("%s", cases[i].text);
	}
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_headers)};

RUN_TESTS(tests)
