#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include "base/compiler.h"
#include "base/error.h"
#include "store/database.h"

/** The schema this program works with. */
int migrations_newest(void);

/** The version of a database's schema; 0 for an empty one. In a transaction of its own. */
int migrations_version(struct database *database, int *version, struct error *err) must_check;

/**
 * Applies what is missing, each step in a transaction of its own, by one program at a time. A schema that is newer
 * than this program is `config`.
 */
int migrations_apply(struct database *database, struct error *err) must_check;

/** The same up to an older version: for tests of what older releases left. */
int migrations_apply_up_to(struct database *database, int version, struct error *err) must_check;

#endif
