#ifndef FACE_YAML_TABLE_H
#define FACE_YAML_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yaml.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * Reads a flat YAML mapping by a table: one row a key, every key required unless its row says
 * otherwise, unknown and repeated keys
 * refused. Errors are ERROR_MODEL, "path:line:column: key: why".
 */

/** The file being read; for the readers of rows. */
struct yaml_reader {
	const char *path;
	yaml_document_t *document;
	const char *key; /**< being read, for errors */
	struct error *err;
};

/** One key: how its value is read, where in the caller's draft it goes, and its bounds. */
struct yaml_row {
	const char *key;
	int (*read)(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft);
	size_t offset;
	double min;
	double max;
	size_t capacity;     /**< bytes of a text, elements of a list */
	size_t count_offset; /**< of a list's int */
	const char *word;    /**< the only text allowed; NULL: any */
	bool is_optional;    /**< the draft keeps what it held if the key is missing */
};

/** Reads `text` into `draft`. At most 64 rows. */
int yaml_table_read(const char *path, const uint8_t *text, size_t size, const struct yaml_row *rows, size_t count,
		    void *draft, struct error *err) must_check;

/* Readers for the `read` of a row: a text below `capacity` bytes, numbers and lists of numbers in min … max. */

int yaml_table_read_text(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft);
int yaml_table_read_float(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value,
			  char *draft);
int yaml_table_read_int(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft);
int yaml_table_read_ints(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft);

/* What readers of one's own are made of. */

/** Sets the error for a place in the file and returns its errno. */
int yaml_table_refuse(const struct yaml_reader *reader, yaml_mark_t at, const char *why);

/** The characters of a scalar; NULL if it is none, empty, or has control characters. Belongs to the document. */
const char *yaml_table_text(const yaml_node_t *node);

/** A finite decimal number, or -EINVAL (no error is set). */
int yaml_table_parse_number(const yaml_node_t *node, double *number) must_check;

/** A number in min … max of the row. */
int yaml_table_number(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *node,
		      double *number) must_check;

/** The length of a list, or a negative errno if it is none or not min … max long. */
int yaml_table_list_length(struct yaml_reader *reader, const yaml_node_t *list, size_t min, size_t max) must_check;

const yaml_node_t *yaml_table_list_item(const struct yaml_reader *reader, const yaml_node_t *list, int index);

#endif
