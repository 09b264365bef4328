#ifndef CLI_ASK_ARGS_H
#define CLI_ASK_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "cli/arguments/args.h"
#include "job/reply.h"

/** The options of every command that asks and prints what is answered: --json and --timeout. */
extern const struct arg_option ask_args_options[];

struct ask_args {
	bool json;
	int64_t timeout_ms;
};

/** Reads and checks them. 0, or a negative errno with `err`. */
int ask_args_read(struct ask_args *out, const struct args *args, struct error *err) must_check;

/** Prints a reply to standard output as one line of JSON. False, reported, when memory is out. */
bool ask_args_print_json(const struct reply *reply);

#endif
