#ifndef CLI_LIST_ARGS_H
#define CLI_LIST_ARGS_H

#include "base/compiler.h"
#include "base/error.h"
#include "cli/arguments/args.h"
#include "cli/fleet/submission.h"

/** The options of every command that sends a whole list of jobs: where results go, and how much is under way. */
extern const struct arg_option list_args_options[];

/** What they said. The strings belong to the arguments. */
struct list_args {
	const char *input;    /**< path, or "-" for standard input */
	const char *base_dir; /**< NULL: that of the input */
	const char *out_path; /**< NULL: standard output */
	enum result_format format;
	bool resume;
	unsigned in_flight;
};

/** Reads and checks them. 0, or a negative errno with `err`. */
int list_args_read(struct list_args *out, const char *input, const struct args *args, struct error *err) must_check;

/** Opens input and output, runs the submission (whose input, base_dir and in_flight are filled in here) and closes
 * them. What goes wrong is reported. */
enum exit_status list_args_run(const struct list_args *args, struct submission_settings *settings);

#endif
