#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/arguments/cli.h"
#include "cli/output/exit_status.h"

/** Tables of options that a command may have, and the NULL behind them. */
#define COMMAND_TABLES 6

/** One command of `facefleet`. Each is a file of its own, <name>.c. */
struct command {
	const char *name;
	const char *operands; /**< as the usage line shows them */
	const char *summary;  /**< one line */
	const char *text;     /**< the help's body: what it does, examples, exit statuses */
	const struct arg_option
	    *options[COMMAND_TABLES]; /**< its own, and those it shares with others; NULL-terminated */
	bool configured;              /**< needs the configuration */
	bool verbatim;                /**< what follows its name are operands, options too */
	enum exit_status (*run)(const struct cli *cli);
};

extern const struct command command_match;
extern const struct command command_submit;
extern const struct command command_enroll;
extern const struct command command_unenroll;
extern const struct command command_verify;
extern const struct command command_search;
extern const struct command command_collections;
extern const struct command command_erase;
extern const struct command command_schedule;
extern const struct command command_store;
extern const struct command command_task;
extern const struct command command_tasks;
extern const struct command command_cancel;
extern const struct command command_replay;
extern const struct command command_keys;
extern const struct command command_endpoints;
extern const struct command command_config;
extern const struct command command_dead;
extern const struct command command_workers;
extern const struct command command_top;
extern const struct command command_topology;
extern const struct command command_models;
extern const struct command command_help;

/** Every command, in the order of the help; ends with NULL. */
extern const struct command *const command_table[];

/** Options that stand before or behind any command. */
extern const struct arg_option command_global_options[];

/** The command of that name, or NULL. */
const struct command *command_find(const char *name);

/** Prints the help of one command, or with NULL that of the program. */
void command_print_help(const struct command *command, FILE *out);

/** Reports what is wrong with a command line, and where its help is. Returns STATUS_USAGE. */
enum exit_status command_usage(const struct command *command, const char *fmt, ...) printf_like(2, 3);

/** Says that a word is no command, with the nearest one that is. Returns STATUS_USAGE. */
enum exit_status command_unknown(const char *word);

#endif
