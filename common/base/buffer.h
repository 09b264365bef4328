#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/**
 * A growing run of bytes with an upper bound. `data` always has one zero byte behind `size`
 * once anything was appended, so text can be used as a C string. Zero-initialise with
 * `{.limit = N}`; a limit of 0 means SIZE_MAX / 2, the most there can be. Not for sharing between threads.
 */
struct buffer {
	uint8_t *data;
	size_t size;
	size_t capacity;
	size_t limit;
};

/** Appends bytes. Returns 0, -EMSGSIZE above the limit (nothing appended) or -ENOMEM. */
int buffer_append(struct buffer *b, const void *bytes, size_t size) must_check;

/** Appends formatted text. Returns as buffer_append(). */
int buffer_printf(struct buffer *b, const char *fmt, ...) printf_like(2, 3);

/** Makes room for `extra` more bytes without changing size. Returns as buffer_append(). */
int buffer_reserve(struct buffer *b, size_t extra) must_check;

/** Forgets the content, keeps the memory. */
void buffer_clear(struct buffer *b);

/** Hands the memory to the caller (free() it) and leaves the buffer empty. NULL if it was never filled. */
uint8_t *buffer_steal(struct buffer *b);

/** Frees the memory; the buffer may be used again. */
void buffer_finish(struct buffer *b);

/**
 * Appends a whole regular file of at most `max` bytes. Blocking. On error `err` (code
 * ERROR_CONFIG) names the path and why, and the negative errno is returned.
 */
int buffer_read_file(struct buffer *b, const char *path, size_t max, struct error *err) must_check;

/** The same for an open file, from where it stands; `path` is what messages call it. */
int buffer_read_fd(struct buffer *b, int fd, const char *path, size_t max, struct error *err) must_check;

#endif
