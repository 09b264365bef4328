#ifndef CLI_SETTINGS_DRAFT_H
#define CLI_SETTINGS_DRAFT_H

#include "base/compiler.h"
#include "cli/arguments/cli.h"
#include "store/central.h"

/** The programs that read what the fleet shares. */
#define SETTINGS_PROGRAM_COUNT 5
extern const char *const settings_programs[SETTINGS_PROGRAM_COUNT];

/** What is to be written to the settings that the fleet shares, and what there would be then. */
struct settings_draft;

/** Begins with what there is. NULL with `err` set. */
struct settings_draft *settings_draft_new(struct store *store, struct error *err) must_check;
void settings_draft_free(struct settings_draft *draft);

/** Adds a setting to be written; a value of NULL removes it. Refuses what may not be shared. `arg` is the draft. */
central_setting_fn settings_draft_add;

/** Adds what makes all as it was at `revision`. `config` if there is none. */
int settings_draft_undo(struct settings_draft *draft, struct store *store, uint64_t revision,
			struct error *err) must_check;

/** Writes it, if every program could use the whole and nobody else wrote meanwhile, tells the fleet and prints the
 * revision. Reports what fails. */
enum exit_status settings_draft_write(const struct cli *cli, struct store *store, const struct settings_draft *draft);

#endif
