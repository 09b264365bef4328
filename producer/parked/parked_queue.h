#ifndef PARKED_PARKED_QUEUE_H
#define PARKED_PARKED_QUEUE_H

#include "amqp/sweep.h"
#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "config/config.h"

/** Looks through the parked messages of the broker of `config`; the rest as amqp_sweep(). */
int parked_queue_sweep(const struct context *ctx, const struct config *config, amqp_sweep_fn *fn, void *arg,
		       struct amqp_sweep_counts *counts, struct error *err) must_check;

/** True for the job of that task. */
bool parked_queue_is_job_of(const struct amqp_delivery *parked, const char *task_id);

#endif
