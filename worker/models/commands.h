#ifndef MODELS_COMMANDS_H
#define MODELS_COMMANDS_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"

/** What the program exits with. */
enum models_status {
	MODELS_OK = 0,
	MODELS_FAILED = 1, /**< a set does not verify, a download failed, images are left over */
	MODELS_USAGE = 2,  /**< the command line, the settings or an input file is at fault */
	MODELS_NO_STORE = 4,
	MODELS_ABORTED = 130
};

/** The command line. */
struct request {
	const struct config *config;
	int operand_count;
	char **operands;
	bool json;
	bool quiet;
	const char *detector; /**< folders; NULL: the configured ones */
	const char *embedder;
	const char *roc;
	int threads; /**< 0: as the command thinks fit */
};

/* One file each, command_<name>.c. */
enum models_status command_list(const struct request *request);
enum models_status command_show(const struct request *request);
enum models_status command_verify(const struct request *request);
enum models_status command_evaluate(const struct request *request);
enum models_status command_fetch(const struct request *request);
enum models_status command_reembed(const struct request *request);

/** "facefleet-models: …" on standard error. */
void complain(const struct error *err);

#endif
