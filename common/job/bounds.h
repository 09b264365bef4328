#ifndef JOB_BOUNDS_H
#define JOB_BOUNDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * What a body may hold before a tree is built of it. A tree costs up to a few hundred bytes for
 * every value, and the libraries that build them believe a declared size; so the bytes are walked
 * first, in linear time and without allocating.
 */

/** Maps and arrays within each other, the outermost counted. */
#define BOUNDS_MAX_DEPTH 16

/** Values in a whole body; a search reply of JOB_MAX_TOP_K candidates has about 7,000. */
#define BOUNDS_MAX_VALUES 16384

/** Fields of one map, known and unknown. */
#define BOUNDS_MAX_FIELDS 256

/**
 * Checks the nesting and the number of values of a JSON text. It stops where the text is no JSON:
 * the parser will say so better. 0, or -EBADMSG with `err`.
 */
int bounds_check_json(const uint8_t *body, size_t size, struct error *err) must_check;

/**
 * Checks that the bytes are exactly one MessagePack value whose every declared size is there, that
 * map keys are strings, and the nesting and number of values. 0, or -EBADMSG with `err`.
 */
int bounds_check_msgpack(const uint8_t *body, size_t size, struct error *err) must_check;

#endif
