#include "renewal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "config/reload.h"
#include "matcher_settings.h"
#include "obs/log.h"

/* As much of an id as tells models apart for people. */
#define SHOWN_ID 8
/* Between two looks at models that do not load. */
#define AGAIN_MS 5000

/* What is found while settings are looked at. */
struct look {
	char what[RENEWAL_WHAT_SIZE];
	char models[RENEWAL_WHAT_SIZE]; /* where other models are named: "facefleet.yaml:3: model.embedder" */
};

void renewal_init(struct renewal *renewal, const struct config *began, const struct modelset *models)
{
	*renewal = (struct renewal){.began = began, .models = models};
}

/* Adds one to a list for people; what has no room is cut. */
static printf_like(2, 3) void add(char list[RENEWAL_WHAT_SIZE], const char *fmt, ...)
{
	char item[RENEWAL_WHAT_SIZE];
	size_t length = strlen(list);
	va_list args;

	va_start(args, fmt);
	vsnprintf(item, sizeof(item), fmt, args);
	va_end(args);
	snprintf(list + length, RENEWAL_WHAT_SIZE - length, "%s%s", length > 0 ? ", " : "", item);
}

static const char *shown(const char *value)
{
	return value && value[0] ? value : "\"\"";
}

static void note(void *arg, const struct config_change *change)
{
	struct look *look = arg;

	if (change->change != OPTION_RENEWS)
		return;
	add(look->what, "%s: %s → %s", change->key, shown(change->before), shown(change->after));
	if (strcmp(change->key, option_table[OPTION_MODEL_DETECTOR].key) == 0 ||
	    strcmp(change->key, option_table[OPTION_MODEL_EMBEDDER].key) == 0)
		add(look->models, "%s: %s", change->source, change->key);
}

static int load_models(struct modelset **out, const struct config *next, const struct look *look, struct error *err)
{
	struct matcher_folders folders;
	int r = matcher_settings_find_models(&folders, next, err);

	if (r == 0)
		r = modelset_load(out, folders.detector, folders.embedder, err);
	if (r < 0)
		error_prefix(err, "%s", look->models[0] ? look->models : "the models in use, on disk");
	return r;
}

static void describe_replacement(char out[RENEWAL_WHAT_SIZE], const struct modelset *old, const struct modelset *new)
{
	snprintf(out, RENEWAL_WHAT_SIZE, "models on disk: %s %.*s and %s %.*s → %s %.*s and %s %.*s",
		 old->detector.name, SHOWN_ID, old->detector_id, old->embedder.name, SHOWN_ID, old->embedder_id,
		 new->detector.name, SHOWN_ID, new->detector_id, new->embedder.name, SHOWN_ID, new->embedder_id);
}

/* Loads what is named, and what lies where the models in use came from if that is wanted. */
static int check_models(struct renewal *renewal, const struct config *next, bool asked, const struct look *look,
			struct error *err)
{
	bool moved = look->models[0] != '\0';
	struct modelset *models = NULL;

	if (!moved && !asked)
		return 0;
	int r = load_models(&models, next, look, err);
	if (r < 0)
		return r;
	renewal->replaced[0] = '\0';
	if (!moved && !modelset_equals(models, renewal->models))
		describe_replacement(renewal->replaced, renewal->models, models);
	modelset_free(models);
	return 0;
}

static void decide(struct renewal *renewal, const struct config *next, const struct look *look)
{
	int64_t within_ms = config_integer(next, OPTION_WORKER_RENEW_WITHIN);

	memcpy(renewal->what, look->what, sizeof(renewal->what));
	if (renewal->replaced[0])
		add(renewal->what, "%s", renewal->replaced);
	if (renewal->what[0] == '\0') {
		renewal->due_ms = 0;
	} else if (renewal->due_ms == 0) {
		int64_t wait_ms = random_between(0, within_ms);
		log_info(NULL, "going to renew", log_integer("in_ms", wait_ms));
		renewal->due_ms = clock_monotonic_ms() + wait_ms;
	}
}

int renewal_check(void *arg, const struct config *next, bool asked, struct error *err)
{
	struct renewal *renewal = arg;
	struct look look = {0};

	config_compare(renewal->began, next, note, &look);
	int r = check_models(renewal, next, asked, &look, err);
	if (r == 0)
		decide(renewal, next, &look);
	return r;
}

bool renewal_is_due(const struct renewal *renewal)
{
	return renewal->due_ms > 0 && clock_monotonic_ms() >= renewal->due_ms;
}

int renewal_prepare(struct renewal *renewal, const struct config *now, struct error *err)
{
	struct modelset *models = NULL;
	struct look look = {0};

	config_compare(renewal->began, now, note, &look);
	int r = load_models(&models, now, &look, err);
	modelset_free(models);
	if (r < 0)
		renewal->due_ms = clock_monotonic_ms() + AGAIN_MS;
	return r;
}
