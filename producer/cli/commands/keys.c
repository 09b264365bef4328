#include <stdio.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "cli/commands/action.h"
#include "cli/commands/command.h"
#include "cli/commands/in_store.h"
#include "cli/output/key_row.h"
#include "cli/output/report.h"
#include "cli/output/terminal.h"
#include "store/keys.h"

static const struct arg_option options[] = {
    {"scopes", 0, "LIST", "Of create: what the key opens, separated by commas; without it match."},
    {"collection", 0, "C", "Of create: a collection it may work in, repeatable; * for all, without it default."},
    {"rate", 0, "R", "Of create: requests a second; without it the gateway's default."},
    {"burst", 0, "B", "Of create: requests at once; without it the gateway's default."},
    {"json", 'j', NULL, "Of list: JSON lines, on a terminal too."},
    {0},
};

/* --- create --- */

static int read_collections(const struct cli *cli, struct key_collections *out, struct error *err)
{
	const char *name;
	int r = 0;

	for (unsigned i = 0; r == 0 && (name = args_value_at(cli->args, "collection", i)); i++)
		r = key_collections_add(out, name, err);
	return r;
}

static int read_wish(const struct cli *cli, struct key_wish *wish, struct error *err)
{
	const char *scopes = args_value(cli->args, "scopes");
	int r = keys_scopes_parse(scopes ? scopes : "match", &wish->scopes, err);

	wish->name = action_operand(cli, 1);
	if (r == 0)
		r = args_number(cli->args, "rate", 0.001, KEYS_MAX_RATE, &wish->rate, err);
	if (r == 0)
		r = args_number(cli->args, "burst", 1, KEYS_MAX_RATE, &wish->burst, err);
	return r < 0 ? r : read_collections(cli, &wish->collections, err);
}

static enum exit_status create(const struct cli *cli, void *arg)
{
	char text[KEYS_TEXT_SIZE];
	struct key_wish wish = {0};
	struct api_key key;
	struct error err = {0};

	if (read_wish(cli, &wish, &err) < 0)
		return command_usage(&command_keys, "%s", err.text);
	if (keys_create(arg, &wish, text, &key, &err) < 0)
		return report_failure(&err);
	puts(text);
	OPENSSL_cleanse(text, sizeof(text));
	if (!cli->quiet && terminal_of(STDOUT_FILENO).interactive)
		report_note("This is key %s. Keep it now: only its hash is stored, and it cannot be shown again.",
			    key.id);
	return STATUS_OK;
}

/* --- list --- */

struct listing {
	bool json;
	struct table table;
};

static int print_key(void *arg, const struct api_key *key, struct error *err)
{
	struct listing *listing = arg;

	if (!listing->json)
		key_row_add(&listing->table, key);
	else if (key_row_json(key, stdout) < 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	return 0;
}

static enum exit_status list(const struct cli *cli, void *arg)
{
	struct terminal terminal = terminal_of(STDOUT_FILENO);
	struct listing listing = {.json = args_count(cli->args, "json") > 0 || !terminal.interactive};
	struct error err = {0};

	table_init(&listing.table, key_row_columns, KEY_ROW_COLUMNS);
	int r = keys_list(arg, print_key, &listing, &err);
	if (r == 0 && !listing.json && table_rows(&listing.table) == 0 && !cli->quiet)
		report_note("There are no API keys.");
	else if (r == 0 && !listing.json && table_print(&listing.table, stdout, terminal) < 0)
		r = error_set(&err, ERROR_INTERNAL, "out of memory");
	table_finish(&listing.table);
	return r < 0 ? report_failure(&err) : STATUS_OK;
}

/* --- revoke --- */

static enum exit_status close_key(const struct cli *cli, void *arg)
{
	const char *id = action_operand(cli, 1);
	struct error err = {0};
	bool found;

	if (!keys_is_id(id))
		return command_usage(&command_keys, "a key's id has 16 hexadecimal digits, as in ffk_ID_...");
	if (keys_revoke(arg, id, clock_unix_ms(), &found, &err) < 0)
		return report_failure(&err);
	if (!found) {
		report_error("no key %s", id);
		return STATUS_NOT_IN_PLACE;
	}
	printf("key %s is revoked; gateways know within 5 seconds\n", id);
	return STATUS_OK;
}

static const struct action actions[] = {
    {"list", list, 0, 0, {"json"}},
    {"create", create, 1, 1, {"scopes", "collection", "rate", "burst"}},
    {"revoke", close_key, 1, 1, {0}},
};

static enum exit_status run(const struct cli *cli)
{
	const struct action *action = action_of(&command_keys, cli, actions, array_size(actions));

	return action ? in_store_run(cli, action) : STATUS_USAGE;
}

const struct command command_keys = {
    .name = "keys",
    .operands = "[list|create NAME|revoke ID]",
    .summary = "Make, list and revoke the API keys of the gateway",
    .text =
	"Works on the store that the setting store.url names; no broker is needed.\n"
	"\n"
	"  list          all keys, revoked ones too; on a terminal as a table\n"
	"  create NAME   make a key and print it, this once: only a hash of it is stored\n"
	"  revoke ID     close a key for good; its id stands behind ffk_\n"
	"\n"
	"Scopes: match (match, verify, search), enroll (enrol and unenrol), schedule, read_all (what\n"
	"other keys asked for), admin (everything).\n"
	"\n"
	"A key verifies, searches, enrols and unenrols in its collections only, and matches anything. With\n"
	"read_all it verifies and searches in every collection, with admin it does all in every one.\n"
	"\n"
	"Examples:\n"
	"  facefleet keys create shop --scopes match,enroll --rate 20 --burst 50\n"
	"  facefleet keys create door --collection staff --collection guests\n"
	"  facefleet keys revoke 0123456789abcdef\n"
	"\n"
	"Exit status: 0 done, 1 there is no such key, 2 usage or settings, 4 no store, 5 a fault of this machine.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
