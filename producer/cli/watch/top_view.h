#ifndef CLI_TOP_VIEW_H
#define CLI_TOP_VIEW_H

#include <stdio.h>

#include "amqp/depths.h"
#include "base/compiler.h"
#include "cli/output/terminal.h"
#include "cli/watch/muster.h"
#include "cli/watch/recent.h"

/** Everything that `top` shows at one moment. */
struct top_view {
	int64_t unix_ms;
	const char *trouble; /**< why it is not up to date, or NULL */
	const struct amqp_depth *depths;
	const struct amqp_depth *before; /**< the same queues `elapsed_ms` earlier; NULL: that is not known */
	unsigned queue_count;
	int64_t elapsed_ms;
	struct recent_summary tasks;
	const struct muster_member *workers;
	size_t worker_count;
};

/** Prints it. Queues that are not there are left out, and retry queues that are empty. 0 or -ENOMEM. */
int top_view_print(const struct top_view *view, FILE *out, struct terminal terminal) must_check;

#endif
