#ifndef JOB_DOCUMENT_H
#define JOB_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <msgpack.h>

#include "base/compiler.h"
#include "base/error.h"
#include "job/envelope.h"

/**
 * A received body as a tree, whichever way it was encoded, and the first thing in it that was
 * refused. Read it with the functions of value.h. Belongs to one thread.
 */
struct document {
	enum encoding encoding;
	json_t *json;
	msgpack_unpacked msgpack; /**< strings and bytes point into the body */
	struct error *err;        /**< where the first refusal goes; may be NULL */
	int result;               /**< 0, or the negative errno of the first refusal */
};

/**
 * Reads a body whose outermost value is a map. Nesting and number of values are bounded before a
 * tree is built (bounds.h); duplicate keys, invalid UTF-8 in JSON and anything behind the value are refused.
 * The body must outlive the document. Returns 0 (then document_close() it), -EBADMSG for a body
 * that is refused or -EAGAIN without memory, both with `err`.
 */
int document_open(struct document *doc, enum encoding encoding, const uint8_t *body, size_t size,
		  struct error *err) must_check;

void document_close(struct document *doc);

#endif
