#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"
#include "cli/commands/action.h"
#include "cli/commands/command.h"
#include "cli/commands/in_store.h"
#include "cli/commands/models_program.h"
#include "cli/output/collection_row.h"
#include "cli/output/report.h"
#include "cli/output/terminal.h"
#include "cli/people/export_file.h"
#include "store/collections.h"

/** Shorter beginnings of a model id are too easily somebody else's. */
#define MODEL_MIN 6

static const struct arg_option options[] = {
    {"json", 'j', NULL, "Of list: JSON lines, on a terminal too."},
    {"out", 'o', "FILE", "Of export: write to FILE, which nobody else can read."},
    {"embedder", 0, "DIR", "Of reembed: folder of the embedder; without it the configured one."},
    {"threads", 0, "N", "Of reembed: threads that compute; without it one."},
    {0},
};

/* --- list --- */

struct listing {
	bool json;
	bool has_head;
};

static int print_row(void *arg, const struct collection_summary *summary, struct error *err)
{
	struct listing *listing = arg;

	if (listing->json)
		return collection_row_json(summary, stdout) < 0 ? error_set(err, ERROR_INTERNAL, "out of memory") : 0;
	if (!listing->has_head)
		collection_row_head(stdout);
	listing->has_head = true;
	collection_row_text(summary, stdout);
	return 0;
}

static enum exit_status list(const struct cli *cli, void *arg)
{
	struct listing listing = {.json = args_count(cli->args, "json") > 0 || !terminal_of(STDOUT_FILENO).interactive};
	struct error err = {0};

	if (collections_list(arg, print_row, &listing, &err) < 0)
		return report_failure(&err);
	if (!listing.json && !listing.has_head && !cli->quiet)
		report_note("Nobody is enrolled.");
	return STATUS_OK;
}

/* --- export, import --- */

static enum exit_status export_people(const struct cli *cli, void *arg)
{
	const char *path = args_value(cli->args, "out");
	struct error err = {0};
	uint64_t images;

	if (!path && terminal_of(STDOUT_FILENO).interactive)
		return command_usage(&command_collections, "an export goes to --out FILE or into a pipe");
	if (export_file_write(arg, action_operand(cli, 1), path, &images, &err) < 0)
		return report_failure(&err);
	if (!cli->quiet)
		report_note("%" PRIu64 " image%s exported.", images, images == 1 ? "" : "s");
	return STATUS_OK;
}

static void report_refusal(uint64_t line, const char *why)
{
	report_note("line %" PRIu64 ": %s", line, why);
}

static enum exit_status import(const struct cli *cli, void *arg)
{
	struct export_counts counts;
	struct error err = {0};
	int r = export_file_read(arg, action_operand(cli, 1), &counts, report_refusal, &err);

	if (r < 0)
		report_error("%s", err.text);
	if (!cli->quiet && (r == 0 || counts.stored > 0))
		printf("%" PRIu64 " stored, %" PRIu64 " unchanged, %" PRIu64 " superseded, %" PRIu64 " refused\n",
		       counts.stored, counts.unchanged, counts.superseded, counts.refused);
	if (r < 0)
		return exit_status_of(&err);
	return counts.refused > 0 ? STATUS_SOME_FAILED : STATUS_OK;
}

/* --- drop-model --- */

/* The one model whose id begins as asked for. */
struct search {
	const char *begins;
	const char *collection;
	char found[PEOPLE_MODEL_ID_SIZE];
	bool ambiguous;
};

static int look_at_model(void *arg, const struct collection_summary *summary, struct error *err)
{
	struct search *search = arg;

	(void)err;
	if ((search->collection && strcmp(summary->collection, search->collection) != 0) ||
	    strncmp(summary->model_id, search->begins, strlen(search->begins)) != 0 ||
	    strcmp(summary->model_id, search->found) == 0)
		return 0;
	search->ambiguous = search->ambiguous || search->found[0] != '\0';
	snprintf(search->found, sizeof(search->found), "%s", summary->model_id);
	return 0;
}

static enum exit_status drop_model(const struct cli *cli, void *arg)
{
	struct search search = {.begins = action_operand(cli, 1), .collection = action_operand(cli, 2)};
	struct error err = {0};
	uint64_t removed;

	if (strlen(search.begins) < MODEL_MIN)
		return command_usage(&command_collections, "at least %d characters of a model's id", MODEL_MIN);
	if (collections_list(arg, look_at_model, &search, &err) < 0)
		return report_failure(&err);
	if (search.ambiguous)
		return command_usage(&command_collections, "several models' ids begin with %s", search.begins);
	if (search.found[0] == '\0') {
		report_error("no embedding there is of a model %s", search.begins);
		return STATUS_NOT_IN_PLACE;
	}
	if (collections_drop_model(arg, search.collection, search.found, &removed, &err) < 0)
		return report_failure(&err);
	printf("%" PRIu64 " embedding%s of model %.*s removed\n", removed, removed == 1 ? "" : "s", MODEL_SHORT,
	       search.found);
	return STATUS_OK;
}

/* --- which of them --- */

static const struct action actions[] = {
    {"list", list, 0, 0, {"json"}},
    {"export", export_people, 0, 1, {"out"}},
    {"import", import, 1, 1, {0}},
    {"drop-model", drop_model, 1, 2, {0}},
    {"reembed", NULL, 0, UINT32_MAX, {"embedder", "threads"}},
};

static enum exit_status run(const struct cli *cli)
{
	const struct action *action = action_of(&command_collections, cli, actions, array_size(actions));

	if (!action)
		return STATUS_USAGE;
	return action->run ? in_store_run(cli, action) : models_program_run(cli->args, action->name, 1);
}

const struct command command_collections = {
    .name = "collections",
    .operands = "[list|export|import|drop-model|reembed] [OPERAND...]",
    .summary = "Look after enrolled people: list, carry elsewhere, compute for another model",
    .text = "Works on the store that the setting store.url names; no broker is needed, and the fleet may run.\n"
	    "\n"
	    "  list                            collections and models; on a terminal as a table\n"
	    "  export [COLLECTION]             everything as JSON lines: faces, so treat it as they deserve\n"
	    "  import FILE|-                   put an export into this store; again does no harm\n"
	    "  drop-model MODEL [COLLECTION]   remove a model's embeddings (its id, or how it begins)\n"
	    "  reembed [COLLECTION...]         compute a model's missing embeddings from the stored faces\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet collections\n"
	    "  facefleet collections reembed --embedder ./new-set/embedder\n"
	    "  facefleet collections export staff --out staff.jsonl\n"
	    "  facefleet collections import staff.jsonl --set store.url=sqlite:other.db\n"
	    "\n"
	    "Exit status: 0 done, 1 lines were refused, images are left over, or there is no such model,\n"
	    "2 usage, settings or input file, 4 no store, 5 a fault of this machine, 130 interrupted.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
