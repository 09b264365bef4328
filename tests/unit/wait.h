#ifndef UNIT_WAIT_H
#define UNIT_WAIT_H

#include <unistd.h>

#include "base/clock.h"
#include "run.h"

/** How long a condition is waited for: long enough for a busy machine under valgrind. */
#define WAIT_UNTIL_MS 60000

/** Looks until the condition holds; fails the test, naming it, if that takes too long. */
#define WAIT_UNTIL(condition)                                                                                          \
	do {                                                                                                           \
		int64_t wait_until_ms = clock_monotonic_ms() + WAIT_UNTIL_MS;                                          \
		while (!(condition)) {                                                                                 \
			if (clock_monotonic_ms() > wait_until_ms)                                                      \
				fail_msg("in vain: " #condition);                                                      \
			usleep(1000);                                                                                  \
		}                                                                                                      \
	} while (0)

#endif
