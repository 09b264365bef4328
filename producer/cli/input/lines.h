#ifndef CLI_LINES_H
#define CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/** Longest line that lines_new() reads, without its end. */
#define LINES_MAX 65536

/**
 * Reads a descriptor (file, pipe, terminal) line by line in constant memory. One thread; the wait
 * for input ends when `wake_fd` becomes readable, so that another thread can stop it.
 */
struct lines;

enum lines_status {
	LINES_LINE,
	LINES_TOO_LONG, /**< the line was skipped; go on */
	LINES_END,
	LINES_STOPPED, /**< wake_fd became readable */
	LINES_FAILED   /**< read failed: errno says why */
};

/** Neither descriptor is owned; `wake_fd` may be -1. NULL when memory is out. */
struct lines *lines_new(int fd, int wake_fd) must_check;

/** The same for lines of up to `max` bytes. */
struct lines *lines_new_bounded(int fd, int wake_fd, size_t max) must_check;
void lines_free(struct lines *lines);

/**
 * The next line without "\n" or "\r\n", terminated by a zero that `length` does not count. The
 * text may be changed and is good until the next call. May block.
 */
enum lines_status lines_next(struct lines *lines, char **text, size_t *length);

/** Number of the line that lines_next() spoke of last, from 1. */
uint64_t lines_number(const struct lines *lines);

/** Bytes up to the end of that line. */
uint64_t lines_offset(const struct lines *lines);

/** True when that line was the last one and did not end in a newline. */
bool lines_torn(const struct lines *lines);

#endif
