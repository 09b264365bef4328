#ifndef CLI_SAME_FILE_H
#define CLI_SAME_FILE_H

#include <stdbool.h>

#include "base/compiler.h"

/** True if a path leads to the regular file that is open for reading: what is written there would overwrite, or be
 * taken for, what is read. */
bool same_file_as_open(const char *path, int fd) must_check;

/** The same for a file that is read under the path `input`. */
bool same_file_as(const char *path, const char *input) must_check;

#endif
