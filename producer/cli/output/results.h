#ifndef CLI_RESULTS_H
#define CLI_RESULTS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "cli/output/id_set.h"
#include "cli/output/result.h"

/** Where result lines go: a file or standard output. One thread. */
struct results;

/**
 * Opens `path` (NULL: standard output) for the results of jobs of one op and writes the header. An existing file is
 * emptied, or with `resume` read for the ids it holds, freed from a torn last line and appended to.
 */
int results_open(struct results **out, const char *path, enum job_op op, enum result_format format, bool resume,
		 struct error *err) must_check;

/** The ids that already had a line. Empty without `resume`. */
const struct id_set *results_present(const struct results *results);

/** Writes one line, at once and whole. 0 or a negative errno (-EPIPE: the reader has gone). */
int results_write(struct results *results, const struct result *result) must_check;

/** Closes the file; 0, or the errno that says that something written did not arrive. NULL is fine. */
int results_close(struct results *results);

#endif
