#ifndef BASE_NAME_TABLE_H
#define BASE_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/**
 * What is remembered of many that come and go, by their names, which outsiders may choose: a fixed number of places,
 * whose memory is taken at once. When all are taken, the one that was not asked for the longest time gives way.
 * For one thread at a time.
 */
struct name_table;

/** `places` ≥ 1; names are cut to fit `name_size` bytes with their NUL; a value has `value_size` bytes, for any type.
 * NULL when memory is out. */
struct name_table *name_table_new(size_t places, size_t name_size, size_t value_size) must_check;
void name_table_free(struct name_table *table);

/** The value of that name, used now; `is_new`: nobody had it, and it holds zeros. Good until the next call. */
void *name_table_get(struct name_table *table, const char *name, bool *is_new);

/** The same for a name that is there already, otherwise NULL. */
void *name_table_find(struct name_table *table, const char *name);

/** Calls `fn` with every name and its value. */
void name_table_each(struct name_table *table, void (*fn)(void *arg, const char *name, void *value), void *arg);

#endif
