#include "parked_queue.h"

#include <stdlib.h>
#include <string.h>

#include "amqp/settings.h"
#include "amqp/topology.h"

int parked_queue_sweep(const struct context *ctx, const struct config *config, amqp_sweep_fn *fn, void *arg,
		       struct amqp_sweep_counts *counts, struct error *err)
{
	struct amqp_link_settings ignored = {0};
	struct amqp_url *url = calloc(1, sizeof(*url));

	if (!url)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	int r = amqp_settings_from_config(url, &ignored, config, err);
	if (r == 0)
		r = amqp_sweep(ctx, url, TOPOLOGY_DEAD_PARKED_QUEUE, fn, arg, counts, err);
	free(url);
	return r;
}

bool parked_queue_is_job_of(const struct amqp_delivery *parked, const char *task_id)
{
	return strcmp(parked->envelope.message_id, task_id) == 0 &&
	       strcmp(parked->envelope.type, ENVELOPE_TYPE_JOB) == 0;
}
