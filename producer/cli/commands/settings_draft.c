#include "cli/commands/settings_draft.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/fleet/control_message.h"
#include "cli/output/report.h"
#include "store/central_set.h"

const char *const settings_programs[SETTINGS_PROGRAM_COUNT] = {"worker", "gateway", "callback", "tracker", "scheduler"};

struct settings_draft {
	uint64_t revision; /* that `now` is at least of */
	struct central_set now;
	struct central_setting write[CENTRAL_MAX];
	unsigned count;
};

struct settings_draft *settings_draft_new(struct store *store, struct error *err)
{
	struct settings_draft *draft = calloc(1, sizeof(*draft));

	if (!draft) {
		error_set(err, ERROR_INTERNAL, "out of memory");
		return NULL;
	}
	if (central_revision(store, &draft->revision, err) == 0 && central_set_read(&draft->now, store, err) == 0)
		return draft;
	settings_draft_free(draft);
	return NULL;
}

void settings_draft_free(struct settings_draft *draft)
{
	if (!draft)
		return;
	for (unsigned i = 0; i < draft->count; i++) {
		free((char *)draft->write[i].program);
		free((char *)draft->write[i].key);
		free((char *)draft->write[i].value);
	}
	central_set_finish(&draft->now);
	free(draft);
}

int settings_draft_add(void *arg, const struct central_setting *setting, struct error *err)
{
	struct settings_draft *draft = arg;
	int r = setting->value ? config_check_central(setting->key, setting->value, err) : 0;

	if (r == 0 && draft->count == CENTRAL_MAX)
		r = error_set(err, ERROR_CONFIG, "more than %d changes at once", CENTRAL_MAX);
	if (r == 0)
		r = central_set_put(&draft->now, setting, err);
	if (r < 0)
		return r;
	struct central_setting *copy = &draft->write[draft->count++];
	*copy = (struct central_setting){.program = strdup(setting->program),
					 .key = strdup(setting->key),
					 .value = setting->value ? strdup(setting->value) : NULL};
	return copy->program && copy->key && (copy->value || !setting->value)
		   ? 0
		   : error_set(err, ERROR_INTERNAL, "out of memory");
}

int settings_draft_undo(struct settings_draft *draft, struct store *store, uint64_t revision, struct error *err)
{
	if (revision > draft->revision)
		return error_set(err, ERROR_CONFIG, "there is no revision %" PRIu64 ": the newest is %" PRIu64,
				 revision, draft->revision);
	return central_undo(store, revision, settings_draft_add, draft, err);
}

/* Every program must be able to use the whole: a scene needs its lane, retries a deadline that lets them be. */
static int check(const struct cli *cli, const struct settings_draft *draft, struct error *err)
{
	struct config_central picked[CENTRAL_MAX];
	int r = 0;

	for (size_t i = 0; i < SETTINGS_PROGRAM_COUNT && r == 0; i++) {
		const struct config_sources sources = {
		    .path = args_value(cli->args, "config"),
		    .central = picked,
		    .central_count = central_set_pick(&draft->now, settings_programs[i], picked),
		};
		struct config *config = NULL;

		r = config_load(&config, &sources, err);
		config_free(config);
	}
	return r;
}

static void write_who(char *out, size_t size)
{
	const struct passwd *user = getpwuid(geteuid());
	char host[64] = "localhost";

	gethostname(host, sizeof(host) - 1);
	snprintf(out, size, "%.60s@%s", user ? user->pw_name : "?", host);
}

/* Tells those who listen; the others look every other second. */
static void broadcast(const struct cli *cli, uint64_t revision)
{
	const struct control control = {.kind = CONTROL_SETTINGS, .version = revision};
	struct error err = {0};

	if (control_message_send(cli->config, "facefleet config", &control, 1, &err) < 0 && !cli->quiet)
		report_note("The fleet was not told (%s); it looks for itself within seconds.", err.text);
}

enum exit_status settings_draft_write(const struct cli *cli, struct store *store, const struct settings_draft *draft)
{
	char who[128];
	uint64_t revision = draft->revision;
	unsigned changed = 0;
	struct error err = {0};

	write_who(who, sizeof(who));
	if (check(cli, draft, &err) < 0 ||
	    central_write(store, draft->write, draft->count, who, clock_unix_ms(), &revision, &changed, &err) < 0)
		return report_failure(&err);
	if (changed == 0) {
		report_error("nothing to change: it is so already");
		return STATUS_NOT_IN_PLACE;
	}
	broadcast(cli, revision);
	printf("revision %" PRIu64 "\n", revision);
	return STATUS_OK;
}
