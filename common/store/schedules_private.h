#ifndef STORE_SCHEDULES_PRIVATE_H
#define STORE_SCHEDULES_PRIVATE_H

#include "store/schedules.h"
#include "store/store_private.h"

/** Begins a transaction that changes what schedulers follow: the version is raised first, so versions come in order. */
int schedules_begin_change(struct store *store, struct error *err) must_check;

/** Ends a transaction: commits when all went well and it is to be kept. Returns the error there was, or that of this.
 */
int schedules_end(struct store *store, bool keep, int r, struct error *err) must_check;

#endif
