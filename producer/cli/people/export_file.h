#ifndef CLI_EXPORT_FILE_H
#define CLI_EXPORT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/store.h"

/*
 * Enrolled people to and from a file. It holds faces, so nobody else may read it, and it has its name only when it is
 * whole. All of these block, and end with `cancelled` when a stop is requested.
 */

/** Writes a collection (NULL: all) to `path` (NULL: standard output). `images` gets how many. */
int export_file_write(struct store *store, const char *collection, const char *path, uint64_t *images,
		      struct error *err) must_check;

/** What became of the images of a file. */
struct export_counts {
	uint64_t stored;
	uint64_t unchanged;
	uint64_t superseded; /**< unenrolled since */
	uint64_t refused;    /**< lines that are no good, and images beyond what one person may have */
};

/** Told of a line that was refused, and why. */
typedef void export_refusal_fn(uint64_t line, const char *why);

/**
 * Puts what is in `path` ("-": standard input) into the store. Reading again what was read before changes nothing, so
 * after an error the same file can be given once more. `counts` is right at any end.
 */
int export_file_read(struct store *store, const char *path, struct export_counts *counts, export_refusal_fn *refused,
		     struct error *err) must_check;

#endif
