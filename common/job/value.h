#ifndef JOB_VALUE_H
#define JOB_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "job/document.h"

/*
 * One schema for both encodings: reading a body without knowing how it was encoded.
 *
 * The value_read_… functions return true and write their output when the value is there and fits.
 * They return false and leave the output alone when it is absent or null, and also when it does
 * not fit; then the document remembers the first refusal with the path of the value, such as
 * "image_a.url: a string was expected". So a decoder reads all fields in a row and looks at
 * doc->result once, at the end.
 */

/** A place in a document. Lives on the stack below `parent`, which must outlive it. */
struct value {
	struct document *doc;
	const struct value *parent; /**< NULL for the document itself */
	const char *name;           /**< in a map; borrowed */
	size_t index;               /**< in an array */
	const void *node;           /**< json_t or msgpack_object; NULL when absent */
};

/** The outermost map. */
struct value value_root(struct document *doc);

/** A field of a map. Absent if the map is absent or has no such field. */
struct value value_field(const struct value *map, const char *name);

/** An element of an array that value_read_array() was true for. */
struct value value_element(const struct value *array, size_t index);

/** True if the value is there and not null. */
bool value_is_present(const struct value *v);

/** Refuses the document, unless it was refused before: the path of `v`, ": " and the text. */
void value_refuse(const struct value *v, const char *fmt, ...) printf_like(2, 3);

/** Gives the document up for want of memory, unless it was refused before. */
void value_out_of_memory(const struct value *v);

/** Refuses the document if the value is absent. Returns value_is_present(). */
bool value_require(const struct value *v);

/** True for a map; its fields may then be read. */
bool value_read_map(const struct value *v);

/** True for an array; `length` is the number of its elements, `min` to `max`. */
bool value_read_array(const struct value *v, size_t min, size_t max, size_t *length);

bool value_read_bool(const struct value *v, bool *out);

/** A whole number from `low` to `high`. */
bool value_read_integer(const struct value *v, int64_t low, int64_t high, int64_t *out);

/** A finite number, whole or not. */
bool value_read_number(const struct value *v, double *out);

/** UTF-8 without NUL that fits `out` of `size` bytes, terminating zero included. */
bool value_read_string(const struct value *v, char *out, size_t size);

/** UTF-8 without NUL, of which `out` gets as many whole characters as fit. */
bool value_read_text(const struct value *v, char *out, size_t size);

/** A string that is one of `names`; `out` is its index. */
bool value_read_choice(const struct value *v, const char *const *names, size_t count, unsigned *out);

/** An RFC 3339 time, as unix milliseconds. */
bool value_read_time(const struct value *v, int64_t *unix_ms);

/**
 * Bytes: `bin` in MessagePack, base64 in JSON. `*bytes` points into the body or into `*owned`,
 * which the caller frees (NULL when nothing was allocated).
 */
bool value_read_bytes(const struct value *v, const uint8_t **bytes, size_t *size, uint8_t **owned);

#endif
