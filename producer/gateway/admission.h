#ifndef GATEWAY_ADMISSION_H
#define GATEWAY_ADMISSION_H

#include <stdbool.h>

#include "base/compiler.h"
#include "http/problem.h"
#include "http/service.h"
#include "store/store.h"
#include "visitor.h"

struct gateway;
struct visit;

/** Makes what admission needs. `config` is refused when strangers could come and are not meant to. */
int admission_init(struct gateway *gateway, struct error *err) must_check;
void admission_finish(struct gateway *gateway);

/**
 * For http_service_settings: refuses who certainly has no valid key, before their body is kept. Asks nobody.
 */
bool admission_glance(void *gateway, struct http_call *call, struct http_problem *problem);

/**
 * What stands before every request of the API, in this order: is there time, who is it, may they ask for this, do they
 * ask too often. (Whether they have asked before shows when their job has been read: see intake.c.) Fills in the
 * visitor. False: the visit has been refused and is gone. On a pool's thread; may ask the store.
 */
bool admission_admit(struct gateway *gateway, struct visit *visit, struct store **store) must_check;

/** True: the time to finish what is in hand is over, and the visit, which only waited, has been refused and is gone. */
bool admission_refuse_late(struct gateway *gateway, struct visit *visit) must_check;

/**
 * True if the visitor may have such a job done in that collection. Otherwise the request is to be refused with
 * `problem`, which blames `field`. Any thread; asks nobody.
 */
bool admission_check_collection(const struct visitor *visitor, enum job_op op, const char *collection,
				const char *field, struct http_problem *problem) must_check;

/** Whether the visitor may have one more schedule. Asks the store now and then: blocks, and fails, as it does. */
int admission_check_schedules(struct gateway *gateway, const char *owner, struct store *store, bool *allowed,
			      struct error *err) must_check;

#endif
