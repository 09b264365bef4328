#ifndef GATEWAY_QUERY_H
#define GATEWAY_QUERY_H

#include <stdbool.h>

#include "base/compiler.h"
#include "visit.h"

/*
 * What stands behind the "?" of a request. Each of these returns false when it refused the request, with a problem that
 * names the parameter. On the HTTP service's thread.
 */

/** Which tasks to list. `list` is zero before. */
bool query_read_tasks(struct http_call *call, struct visit_list *list) must_check;

/** How many schedules to list, and after which one ("": from the first). */
bool query_read_schedules(struct http_call *call, struct visit_list *list, char after[UUID_SIZE]) must_check;

/** Nothing may stand there. */
bool query_read_none(struct http_call *call) must_check;

#endif
