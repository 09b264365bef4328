#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands/command.h"
#include "cli/output/escape.h"
#include "cli/output/report.h"
#include "config/mask.h"
#include "store/store.h"

static enum exit_status migrate(const struct store_settings *settings)
{
	struct error err = {0};
	int from, to;

	if (store_migrate(settings, &from, &to, &err) < 0)
		return report_failure(&err);
	if (from == to)
		printf("schema version %d is up to date\n", to);
	else
		printf("schema version %d → %d\n", from, to);
	return STATUS_OK;
}

/* A file's name is no secret; a server's URL has a password. */
static void print_url(const char *url)
{
	char *masked = strncmp(url, "sqlite:", 7) == 0 ? strdup(url) : mask_secret(url);
	char shown[ESCAPE_SIZE];

	printf("store       %s\n", escape_text(masked ? masked : "***", shown, sizeof(shown)));
	free(masked);
}

static enum exit_status status(const struct store_settings *settings)
{
	struct store_summary s;
	struct error err = {0};

	print_url(settings->url);
	if (store_describe(settings, &s, &err) < 0)
		return report_failure(&err);
	printf("engine      %s\n", s.engine);
	if (s.schema != s.needed_schema) {
		printf("schema      version %d; this program needs %d%s\n", s.schema, s.needed_schema,
		       s.schema < s.needed_schema ? ": run `facefleet store migrate`" : "");
		return STATUS_NOT_IN_PLACE;
	}
	printf("schema      version %d, up to date\n", s.schema);
	printf("changes     %" PRIu64 "\n", s.version);
	printf("people      %" PRIu64 " in %" PRIu64 " collection%s\n", s.people, s.collections,
	       s.collections == 1 ? "" : "s");
	printf("images      %" PRIu64 "\n", s.images);
	printf("embeddings  %" PRIu64 "\n", s.embeddings);
	return STATUS_OK;
}

static enum exit_status run(const struct cli *cli)
{
	const char *what = cli->args->operand_count == 1 ? cli->args->operands[0] : "";
	struct store_settings settings;
	struct error err = {0};

	if (strcmp(what, "migrate") != 0 && strcmp(what, "status") != 0)
		return command_usage(&command_store, "store migrate, or store status?");
	if (store_settings_from_config(&settings, cli->config, &err) < 0)
		return report_failure(&err);
	return strcmp(what, "migrate") == 0 ? migrate(&settings) : status(&settings);
}

const struct command command_store = {
    .name = "store",
    .operands = "migrate|status",
    .summary = "Make the store of enrolled people, bring it up to date, look at it",
    .text = "The store is what the setting store.url names: a file (sqlite:/path/to/people.db) or a server\n"
	    "(postgresql://user:password@host/database). No broker is needed.\n"
	    "\n"
	    "  migrate   make or change the tables as this release needs them; does nothing to a store that\n"
	    "            is up to date, and may be run while others use it\n"
	    "  status    its URL without the password, its schema, and how much is in it\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet store migrate\n"
	    "  facefleet store status --set store.url=sqlite:people.db\n"
	    "\n"
	    "Exit status: 0 done, 1 the schema is another than this program's, 2 usage or settings, 4 no store.\n",
    .configured = true,
    .run = run,
};
