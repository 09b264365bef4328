#ifndef JOB_WRITER_H
#define JOB_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "job/envelope.h"

/** Maps and arrays that a body of ours opens within each other. */
#define WRITER_MAX_DEPTH 8

/**
 * One schema for both encodings: writing a body without knowing how it is encoded. `name` is the
 * field's name in a map and NULL in an array. The first failure is kept and makes the rest do
 * nothing, so only writer_finish() is looked at. Needs the C locale's decimal point, the one every
 * facefleet program runs with.
 */
struct writer {
	enum encoding encoding;
	struct buffer *out;
	size_t start; /**< of the body in `out` */
	int result;
	unsigned depth;
	struct writer_level {
		bool is_map;
		uint32_t count; /**< elements or fields so far */
		size_t head;    /**< where MessagePack wants the count */
	} level[WRITER_MAX_DEPTH + 1];
};

/** Begins a body behind what is in `out`, which is borrowed. */
void writer_init(struct writer *w, enum encoding encoding, struct buffer *out);

/** Ends it. Returns 0, or -ENOMEM / -EMSGSIZE with `out` as it was before. */
int writer_finish(struct writer *w) must_check;

void writer_open_map(struct writer *w, const char *name);
void writer_open_array(struct writer *w, const char *name);

/** Closes the innermost map or array. */
void writer_close(struct writer *w);

void writer_null(struct writer *w, const char *name);
void writer_bool(struct writer *w, const char *name, bool value);
void writer_integer(struct writer *w, const char *name, int64_t value);

/** A number in the fewest digits, 9 to 17, that read back as the same double. Null if it is not finite. */
void writer_number(struct writer *w, const char *name, double value);

/** A number that was computed as float32: nine digits, enough to read back the same float. */
void writer_float(struct writer *w, const char *name, double value);

/** A number rounded to three decimals: milliseconds, pixels. */
void writer_decimal(struct writer *w, const char *name, double value);

/** Text. What is not well-formed UTF-8 is written as U+FFFD. */
void writer_string(struct writer *w, const char *name, const char *text);

/** Text, or null for "". */
void writer_string_or_null(struct writer *w, const char *name, const char *text);

/** Unix milliseconds as an RFC 3339 time, or null for 0. */
void writer_time_or_null(struct writer *w, const char *name, int64_t unix_ms);

/** `bin` in MessagePack, base64 in JSON, written straight into the buffer. */
void writer_bytes(struct writer *w, const char *name, const uint8_t *bytes, size_t size);

#endif
