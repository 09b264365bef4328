#ifndef STORE_POSTGRES_ARRAY_H
#define STORE_POSTGRES_ARRAY_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "store/database.h"

/* The binary form of PostgreSQL's arrays (array_send() in its arrayfuncs.c): a column of many rows is one parameter. */

/** Numbers of PostgreSQL's catalogue that never change: of a type, and of arrays of it. By the type of a value. */
extern const struct postgres_type {
	unsigned scalar, array;
} postgres_types[];

/** Appends a column of the rows (≥ 1) as an array. Returns 0 or a negative errno. */
int postgres_array_append(struct buffer *out, const struct database_rows *rows, unsigned column) must_check;

#endif
