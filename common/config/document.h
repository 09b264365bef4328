#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define DOCUMENT_TEXT_MAX (1u << 20)
#define DOCUMENT_DEPTH_MAX 4
#define DOCUMENT_ENTRIES_MAX 1000
#define DOCUMENT_KEY_MAX 128 /**< of a whole joined key, with the terminating zero */

/** One scalar of the document. Lines and columns count from 1. */
struct document_entry {
	char *key;   /**< nested keys joined by dots */
	char *value; /**< NULL for null and for a key without a value */
	unsigned line;
	unsigned column;
	unsigned value_line;
	unsigned value_column;
};

/** The scalars in the order of the file. Zero-initialise. */
struct document {
	struct document_entry *items;
	size_t count;
};

/**
 * Reads one YAML document made of maps and scalars only: no lists, aliases, anchors, tags or
 * second document, no key twice. `name` stands in front of errors (code config), with line and
 * column. *out is written on success only; finish it. Returns 0 or a negative errno.
 */
int document_read(struct document *out, const char *name, const uint8_t *text, size_t size,
		  struct error *err) must_check;

void document_finish(struct document *document);

#endif
