#ifndef CLI_SCHEDULED_JOB_H
#define CLI_SCHEDULED_JOB_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "cli/commands/command.h"
#include "store/schedules.h"

/** The option of a search. */
extern const struct arg_option scheduled_job_options[];

/**
 * Makes the job that the operands from `first` on say ("verify ann a.jpg") and the options of jobs, reading photographs
 * now: into `encoded` and job, op, scene, user_id and collection of `out`, whose strings belong to the arguments. 0, or
 * a negative errno with `err`. Blocking.
 */
int scheduled_job_read(struct schedule *out, struct buffer *encoded, const struct cli *cli, unsigned first,
		       struct error *err) must_check;

#endif
