#ifndef CLI_MODELS_PROGRAM_H
#define CLI_MODELS_PROGRAM_H

#include "cli/arguments/args.h"
#include "cli/output/exit_status.h"

/**
 * Puts facefleet-models in this program's place, which links no networks. Of the options those that it has too are
 * passed on; `command` (NULL: none) stands before the operands from `first_operand` on. Returns only if that program
 * cannot be found, which is reported.
 */
enum exit_status models_program_run(const struct args *args, const char *command, unsigned first_operand);

#endif
