#ifndef CLI_TRAFFIC_H
#define CLI_TRAFFIC_H

#include "base/compiler.h"
#include "base/error.h"
#include "cli/watch/recent.h"
#include "config/config.h"

/**
 * Listens to what is said about tasks, with a queue of its own that loses the oldest when more is said than is heard. A
 * connection of its own; functions are for one thread.
 */
struct traffic;

/** Connects and listens. 0, or a negative errno with `err` as amqp_link_wait_ready(). Blocking. */
int traffic_open(struct traffic **out, const struct config *config, int64_t timeout_ms, struct error *err) must_check;

/** What was heard in the last `window_ms`, or since it listens. */
void traffic_summarise(struct traffic *traffic, int64_t window_ms, struct recent_summary *out);

/** NULL is fine. */
void traffic_free(struct traffic *traffic);

#endif
