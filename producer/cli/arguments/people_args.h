#ifndef CLI_PEOPLE_ARGS_H
#define CLI_PEOPLE_ARGS_H

#include "base/compiler.h"
#include "base/error.h"
#include "cli/arguments/ask_args.h"
#include "cli/arguments/cli.h"
#include "cli/arguments/job_args.h"
#include "cli/fleet/exchange.h"

/** The option of every command about enrolled people: --collection. */
extern const struct arg_option people_args_options[];

/** What a command about enrolled people asks with. The strings belong to the arguments. */
struct people_args {
	struct job_args job;
	struct ask_args ask;
	const char *collection;
};

/** Reads and checks all three tables, those that the command has. 0, or a negative errno with `err`. */
int people_args_read(struct people_args *out, const struct args *args, struct error *err) must_check;

/** Makes a job of them. */
void people_args_fill(struct job *job, enum job_op op, const struct people_args *args);

/**
 * Sends the job, with the photograph that the command line calls `photo` (NULL: none), and hands its reply to `fn` with
 * `args`. What goes wrong is reported. Blocking.
 */
enum exit_status people_args_ask(const struct cli *cli, struct people_args *args, struct job *job, const char *photo,
				 exchange_reply_fn *fn);

#endif
