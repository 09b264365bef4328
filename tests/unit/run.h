#ifndef UNIT_RUN_H
#define UNIT_RUN_H

/* What every unit test includes: cmocka with the headers it wants first, and main() as one line. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/** main() of a test program: runs `tests` and prints TAP, which the build system counts. */
#define RUN_TESTS(tests)                                                                                               \
	int main(void)                                                                                                 \
	{                                                                                                              \
		cmocka_set_message_output(CM_OUTPUT_TAP);                                                              \
		return cmocka_run_group_tests(tests, NULL, NULL);                                                      \
	}

#endif
