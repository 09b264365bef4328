#include "cli/commands/command.h"

#include "cli/commands/models_program.h"

static enum exit_status run(const struct cli *cli)
{
	return models_program_run(cli->args, NULL, 0);
}

const struct command command_models = {
    .name = "models",
    .operands = "list|show|verify|evaluate|fetch [OPTION...]",
    .summary = "Look after model sets: the networks that find and compare faces",
    .text = "Runs facefleet-models, which has options of its own: see `facefleet models --help` and\n"
	    "facefleet-models(1). No broker is needed.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet models list                     built in, configured, in model.folder\n"
	    "  facefleet models verify ./my-set          hashes, loading, running, milliseconds\n"
	    "  facefleet models evaluate pairs.csv --embedder ./my-set/embedder --roc roc.svg\n"
	    "  facefleet models fetch opencv-zoo         download a stronger set, and check it\n"
	    "\n"
	    "Exit status: 0 done, 1 a set is no good or a download failed, 2 usage, settings or input file,\n"
	    "5 facefleet-models is not there, 130 interrupted.\n",
    .verbatim = true,
    .run = run,
};
