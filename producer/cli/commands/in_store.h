#ifndef CLI_IN_STORE_H
#define CLI_IN_STORE_H

#include "cli/commands/action.h"

/** Opens the configured store, runs an action with it (a struct store as `arg`), and closes it. Reports what fails. */
enum exit_status in_store_run(const struct cli *cli, const struct action *action);

#endif
