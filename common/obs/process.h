#ifndef OBS_PROCESS_H
#define OBS_PROCESS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"

/**
 * Appends the process_* metrics every Prometheus client library has (memory, CPU time, file
 * descriptors, start time), read from /proc; what cannot be read is left out. Returns as
 * buffer_append().
 */
int process_render(struct buffer *out) must_check;

/** Memory in RAM, 0 if it cannot be read. */
int64_t process_resident_bytes(void);

#endif
