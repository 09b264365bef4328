#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>

/** 36 characters and the terminating zero. */
#define UUID_SIZE 37

/**
 * Writes a new UUIDv7 (RFC 9562: 48 bits of unix milliseconds, the rest random), lower case.
 * Ids sort by the time they were made. Any thread.
 */
void uuid_v7(char out[UUID_SIZE]);

/** True if `text` is a UUID of any version in lower case, 8-4-4-4-12. */
bool uuid_is_valid(const char *text);

#endif
