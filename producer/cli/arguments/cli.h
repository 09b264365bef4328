#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#include "cli/arguments/args.h"
#include "config/config.h"

/** What every command gets. */
struct cli {
	const struct args *args;
	const struct config *config; /**< NULL for a command that is not `configured` */
	bool quiet;
};

#endif
