#ifndef SCHEDULER_TIME_ZONE_H
#define SCHEDULER_TIME_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/**
 * A time zone out of the system's database (RFC 8536), read without touching the process's own: $TZ belongs to all
 * threads. Immutable; any thread may ask.
 */
struct time_zone;

/** Longest name, and the terminating zero. */
#define TIME_ZONE_NAME_SIZE 64

/**
 * Loads a zone by its IANA name ("Europe/Berlin"); "" is UTC. `err` (config) says what is wrong with the name.
 * Blocking.
 */
int time_zone_load(struct time_zone **out, const char *name, struct error *err) must_check;

/** The same of a file's bytes. */
int time_zone_read(struct time_zone **out, const uint8_t *bytes, size_t size, struct error *err) must_check;

/** NULL is fine. */
void time_zone_free(struct time_zone *zone);

/** Seconds east of Greenwich at that moment. */
int32_t time_zone_offset(const struct time_zone *zone, int64_t unix_s);

/**
 * The moment at which clocks show `local_s` (seconds since 1970 as if they were UTC). A time that is shown twice is
 * the first of both; one that is left out is the moment at which the clocks are put forward past it.
 */
int64_t time_zone_to_unix(const struct time_zone *zone, int64_t local_s);

/** The first moment after `from_s` and up to `to_s` at which the offset is not that of `from_s`. It must be another at
 * `to_s`. Of several changes between them, any. */
int64_t time_zone_change(const struct time_zone *zone, int64_t from_s, int64_t to_s);

#endif
