#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/** One option of a command line, `--name` or `-l`; a table of them ends with a NULL name. */
struct arg_option {
	const char *name;
	char letter;       /**< 0: long form only */
	const char *value; /**< how the help calls its value; NULL: it takes none */
	const char *help;  /**< one sentence */
};

/** What a command line said, in order. The strings belong to argv. */
struct args {
	const struct arg_option **options; /**< given[i] has values[i], NULL for flags */
	const char **values;
	unsigned option_count;
	const char **operands;
	unsigned operand_count;
};

/** Makes room for a whole command line. 0 or -ENOMEM. */
int args_init(struct args *args, int argc, const char *const *argv) must_check;
void args_finish(struct args *args);

/**
 * Adds `argc` words to `args`, looking options up in `tables` (NULL-terminated). Understands
 * `--name value`, `--name=value`, `-l value`, `-lvalue`, `-vv`, and `--`; a lone `-` is an operand.
 * With `until_operand` stops behind the first operand. Returns the number of words taken, or a
 * negative errno with `err` (an unknown option comes with the nearest known one).
 */
int args_parse(struct args *args, int argc, const char *const *argv, const struct arg_option *const *tables,
	       bool until_operand, struct error *err) must_check;

/** How often an option was given. */
unsigned args_count(const struct args *args, const char *name);

/** The value it was given last, or NULL. */
const char *args_value(const struct args *args, const char *name);

/** The value it was given the `number`-th time, counted from 0, or NULL. */
const char *args_value_at(const struct args *args, const char *name, unsigned number);

/** Reads the value of `name` as a number within [low, high] into *out; leaves *out alone and returns 0 when it was not
 * given, a negative errno with `err` when it is no such number. */
int args_number(const struct args *args, const char *name, double low, double high, double *out,
		struct error *err) must_check;

#endif
