#ifndef CLI_MUSTER_H
#define CLI_MUSTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "job/control.h"

/**
 * Who works in a fleet, as heard on the control exchange: every worker says how it does by itself now and then, and at
 * once when it is called. A connection of its own; functions are for one thread.
 */
struct muster;

/** More than this are not kept apart: whoever comes later is left out. */
#define MUSTER_MOST 4096

struct muster_member {
	struct heartbeat beat; /**< the last */
	int64_t age_ms;        /**< since it came in */
};

/** Connects and listens. 0, or a negative errno with `err` as amqp_link_wait_ready(). Blocking. */
int muster_open(struct muster **out, const struct config *config, int64_t timeout_ms, struct error *err) must_check;

/** Asks everybody to say who they are, unless the last call has not reached the broker yet. 0 or a negative errno. */
int muster_call(struct muster *muster) must_check;

/**
 * Those heard in the last `within_ms`, by host, worker and process; free() the array. Others are forgotten. 0 or
 * -ENOMEM.
 */
int muster_list(struct muster *muster, int64_t within_ms, struct muster_member **out, size_t *count) must_check;

/** NULL is fine. */
void muster_free(struct muster *muster);

#endif
