#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/compiler.h"

/** "2026-11-23T14:53:07.123Z" and the terminating zero. */
#define CLOCK_RFC3339_SIZE 25

/** Monotonic nanoseconds: for durations and deadlines inside one process. Any thread. */
int64_t clock_monotonic_ns(void);

/** Monotonic milliseconds. Any thread. */
int64_t clock_monotonic_ms(void);

/** Unix time in milliseconds: for what other hosts read. Any thread. */
int64_t clock_unix_ms(void);

/** Writes `unix_ms` as RFC 3339 UTC with milliseconds, the form of every time in a message body. */
void clock_format_rfc3339(int64_t unix_ms, char out[CLOCK_RFC3339_SIZE]);

/**
 * Reads an RFC 3339 time ("Z" or "+hh:mm", fraction optional) into unix milliseconds.
 * Returns 0 or -EINVAL; *unix_ms is written on success only.
 */
int clock_parse_rfc3339(const char *text, int64_t *unix_ms) must_check;

/** Milliseconds (fractional) between two readings of clock_monotonic_ns(). */
double clock_elapsed_ms(int64_t from_ns, int64_t to_ns);

/** The monotonic instant `ms` from now as pthread_cond_timedwait wants it (CLOCK_MONOTONIC). */
struct timespec clock_timespec_in_ms(int64_t ms);

#endif
