#ifndef CLI_JOB_ARGS_H
#define CLI_JOB_ARGS_H

#include "base/compiler.h"
#include "base/error.h"
#include "cli/arguments/args.h"
#include "job/job.h"

/** The options that say how a job is treated, the same for every command that sends jobs. */
extern const struct arg_option job_args_options[];

/** The same without those about comparing. */
#define JOB_ARGS_WITHOUT_THRESHOLD (job_args_options + 2)

/** The same without those about faces at all. */
#define JOB_ARGS_WITHOUT_FACE (job_args_options + 3)

/** What they said. The strings belong to the arguments. */
struct job_args {
	const char *scene;
	const char *callback_url; /**< NULL: none */
	struct job_options options;
};

/** Reads and checks them. 0, or a negative errno with `err`. */
int job_args_read(struct job_args *out, const struct args *args, struct error *err) must_check;

#endif
