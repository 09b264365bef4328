#ifndef CLI_RESUME_H
#define CLI_RESUME_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "cli/output/id_set.h"
#include "cli/output/result.h"

/**
 * Reads a results file from the start and adds the id of every row to `ids`. *length becomes the
 * number of bytes that hold whole lines: a last line without its newline was torn by a crash and
 * does not count. On refusal (not a results file, cannot be read) `err` says why. Blocking.
 */
int resume_read(int fd, enum result_format format, struct id_set *ids, uint64_t *length, struct error *err) must_check;

#endif
