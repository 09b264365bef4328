#ifndef CLI_ACTION_H
#define CLI_ACTION_H

#include <stddef.h>

#include "cli/commands/command.h"

#define ACTION_OPTIONS 6

/** One of the things that a command does, named by its first operand. */
struct action {
	const char *name;
	enum exit_status (*run)(const struct cli *cli, void *arg);
	unsigned least; /**< operands behind the name */
	unsigned most;
	const char
	    *options[ACTION_OPTIONS]; /**< of the command's first table, those that go with it; NULL-terminated */
	bool has_shared;              /**< all of its other tables, shared with other commands, go with it */
};

/**
 * The action that the command line asks for, the first of `actions` if it names none. NULL after a report of what is
 * wrong: another word, too few or too many operands, an option that does not go with it.
 */
const struct action *action_of(const struct command *command, const struct cli *cli, const struct action *actions,
			       size_t count);

/** An operand behind the action's name, counted from 1, or NULL. */
const char *action_operand(const struct cli *cli, unsigned index);

#endif
