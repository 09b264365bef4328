#ifndef GATEWAY_STORE_ACCESS_H
#define GATEWAY_STORE_ACCESS_H

#include "base/compiler.h"
#include "base/error.h"
#include "store/store.h"

struct gateway;
struct visit;

/* The store as requests meet it: a connection for each thread of the pools, which may fail. */

/** The thread's store, opened when it is first needed. */
int store_access_open(struct gateway *gateway, struct store **store, struct error *err) must_check;

/** Says in the log, at most once a second, why the store failed a request. Any thread. */
void store_access_log(struct gateway *gateway, const struct error *err);

/** Answers a visit and frees it: the store failed. The client does not hear why: the log does. */
void store_access_refuse(struct gateway *gateway, struct visit *visit, const struct error *err);

#endif
