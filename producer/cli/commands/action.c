#include "cli/commands/action.h"

#include <stdio.h>
#include <string.h>

static const struct action *find(const char *name, const struct action *actions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

/* "list, show or drop" */
static void list_names(const struct action *actions, size_t count, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", actions[i].name,
					 i + 2 < count   ? ", "
					 : i + 1 < count ? " or "
							 : "");
}

static bool is_among(const char *name, const char *const names[ACTION_OPTIONS])
{
	for (size_t i = 0; i < ACTION_OPTIONS && names[i]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* The first option of the command that does not go with the action, or NULL. */
static const char *stray_option(const struct command *command, const struct cli *cli, const struct action *action)
{
	for (const struct arg_option *const *table = command->options; *table; table++) {
		bool is_own = table == command->options;

		for (const struct arg_option *o = *table; o->name; o++)
			if (args_count(cli->args, o->name) > 0 &&
			    !(is_own ? is_among(o->name, action->options) : action->has_shared))
				return o->name;
	}
	return NULL;
}

const struct action *action_of(const struct command *command, const struct cli *cli, const struct action *actions,
			       size_t count)
{
	unsigned behind = cli->args->operand_count > 0 ? cli->args->operand_count - 1 : 0;
	const char *name = cli->args->operand_count > 0 ? cli->args->operands[0] : actions[0].name;
	const struct action *action = find(name, actions, count);
	char names[256] = "";

	if (!action) {
		list_names(actions, count, names, sizeof(names));
		command_usage(command, "%s %s: %s?", command->name, name, names);
		return NULL;
	}
	if (behind < action->least || behind > action->most) {
		command_usage(command, "%s %s takes %s operands", command->name, name,
			      behind < action->least ? "more" : "fewer");
		return NULL;
	}
	const char *stray = stray_option(command, cli, action);
	if (stray) {
		command_usage(command, "--%s does not go with %s", stray, name);
		return NULL;
	}
	return action;
}

const char *action_operand(const struct cli *cli, unsigned index)
{
	return index < cli->args->operand_count ? cli->args->operands[index] : NULL;
}
