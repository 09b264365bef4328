#include "config/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/document.h"
#include "config/nearest.h"
#include "config/scene_key.h"

#define PREFIX "FACEFLEET_"
#define PATH_SUFFIX "_file"

static int out_of_memory(struct error *err)
{
	error_set(err, ERROR_CONFIG, "out of memory");
	return -ENOMEM;
}

int settings_fault(const struct setting *setting, struct error *err, const char *fmt, ...)
{
	const char *key = setting->key;
	const char *suffix = setting->is_path ? PATH_SUFFIX : "";
	char what[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (setting->column > 0)
		return error_set(err, ERROR_CONFIG, "%s:%u: %s%s: %s", setting->place, setting->column, key, suffix,
				 what);
	return error_set(err, ERROR_CONFIG, "%s: %s%s: %s", setting->place, key, suffix, what);
}

static void set_row(struct setting *setting, enum option_id option, bool is_path)
{
	setting->row = &option_table[option];
	setting->key = (char *)option_table[option].key;
	setting->is_path = is_path;
}

/* Finds the option of a key, or of a secret's key with "_file" behind. */
static bool find_option(const char *key, struct setting *setting)
{
	size_t length = strlen(key);
	size_t suffix = strlen(PATH_SUFFIX);
	size_t stem = length > suffix && strcmp(key + length - suffix, PATH_SUFFIX) == 0 ? length - suffix : 0;

	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_table[i];
		bool exact = strcmp(row->key, key) == 0;
		bool path = stem > 0 && row->type == OPTION_SECRET && strlen(row->key) == stem &&
			    strncmp(row->key, key, stem) == 0;
		if (exact || path) {
			set_row(setting, (enum option_id)i, !exact);
			return true;
		}
	}
	return false;
}

static bool is_section(const char *key)
{
	size_t length = strlen(key);

	for (int i = 0; i < OPTION_COUNT; i++)
		if (strncmp(option_table[i].key, key, length) == 0 && option_table[i].key[length] == '.')
			return true;
	return scene_key_is_section(key);
}

/* Finds what a key names, which the setting borrows; false and what is wrong with the key otherwise. */
static bool find_row(const char *key, struct setting *setting, char *why, size_t why_size)
{
	if (scene_key_is(key)) {
		setting->row = scene_key_row(key, why, why_size);
		setting->key = (char *)key;
		return setting->row != NULL;
	}
	if (find_option(key, setting))
		return true;
	if (is_section(key))
		snprintf(why, why_size, "a section, expected options below it");
	else
		snprintf(why, why_size, "unknown key, the nearest is %s", nearest_key(key));
	return false;
}

static const struct setting *find_other_form(const struct settings *s, size_t first, const struct setting *given)
{
	if (given->row->type != OPTION_SECRET)
		return NULL;
	for (size_t i = first; i < s->count; i++)
		if (s->items[i].row == given->row && s->items[i].is_path != given->is_path)
			return &s->items[i];
	return NULL;
}

static void finish_setting(struct setting *setting)
{
	free(setting->key);
	free(setting->value);
	free(setting->place);
}

/* Copies `given` to the end; `first` is where its source begins. */
static int add(struct settings *s, size_t first, const struct setting *given, struct error *err)
{
	const struct setting *other = find_other_form(s, first, given);

	if (other)
		return settings_fault(given, err, "given besides %s%s in %s; keep one", other->key,
				      other->is_path ? PATH_SUFFIX : "", other->place);
	struct setting *items = reallocarray(s->items, s->count + 1, sizeof(*items));
	if (!items)
		return out_of_memory(err);
	s->items = items;

	struct setting copy = *given;
	copy.key = strdup(given->key);
	copy.value = strdup(given->value);
	copy.place = strdup(given->place);
	if (!copy.key || !copy.value || !copy.place) {
		finish_setting(&copy);
		return out_of_memory(err);
	}
	items[s->count++] = copy;
	return 0;
}

static int add_entry(struct settings *s, size_t first, const char *name, const struct document_entry *entry,
		     struct error *err)
{
	char place[160];
	char why[160];
	struct setting setting = {.value = entry->value, .place = place, .column = entry->value_column};

	if (!entry->value && is_section(entry->key))
		return 0; /* a section whose options are all commented out */
	if (!find_row(entry->key, &setting, why, sizeof(why))) {
		bool section = is_section(entry->key); /* then the value is what is wrong */
		return error_set(err, ERROR_CONFIG, "%s:%u:%u: %.60s: %s", name,
				 section ? entry->value_line : entry->line,
				 section ? entry->value_column : entry->column, entry->key, why);
	}
	snprintf(place, sizeof(place), "%s:%u", name, entry->value_line);
	if (!entry->value)
		return settings_fault(&setting, err, "no value (\"\" is the empty text)");
	return add(s, first, &setting, err);
}

int settings_add_yaml(struct settings *s, const char *name, const uint8_t *text, size_t size, struct error *err)
{
	struct document document = {0};
	size_t first = s->count;
	int r = document_read(&document, name, text, size, err);

	for (size_t i = 0; i < document.count && r == 0; i++)
		r = add_entry(s, first, name, &document.items[i], err);
	document_finish(&document);
	return r;
}

void settings_environment_name(const char *key, char out[SETTINGS_NAME_SIZE])
{
	size_t at = strlen(PREFIX);

	memcpy(out, PREFIX, at);
	for (; *key != '\0' && at < SETTINGS_NAME_SIZE - 1; key++)
		out[at++] = *key == '.' || *key == '-' ? '_' : (char)toupper((unsigned char)*key);
	out[at] = '\0';
}

/* Variables with the prefix that are no options; config.h lists them. */
static bool is_ignored(const char *name)
{
	static const char *const ignored[] = {"CONFIG", "HOME", "AMQP_PORT", "MANAGEMENT_PORT", "HTTP_PORT"};
	const char *rest = name + strlen(PREFIX);

	for (size_t i = 0; i < array_size(ignored); i++)
		if (strcmp(rest, ignored[i]) == 0)
			return true;
	return strncmp(rest, "TEST_", 5) == 0;
}

/* Finds the option whose variable this is, by making every option's name. */
static bool find_variable(const char *name, struct setting *setting)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		char known[SETTINGS_NAME_SIZE];
		settings_environment_name(option_table[i].key, known);
		size_t length = strlen(known);
		bool exact = strcmp(known, name) == 0;
		bool path = option_table[i].type == OPTION_SECRET && strncmp(known, name, length) == 0 &&
			    strcmp(name + length, "_FILE") == 0;
		if (exact || path) {
			set_row(setting, (enum option_id)i, !exact);
			return true;
		}
	}
	return false;
}

static int refuse_variable(const char *name, struct error *err)
{
	const char *best = NULL;
	unsigned best_distance = 0;

	if (strncmp(name + strlen(PREFIX), "SCENES_", 7) == 0)
		return error_set(err, ERROR_CONFIG, "env %.80s: scenes are set in the file or with --set", name);
	for (int i = 0; i < OPTION_COUNT; i++) {
		char known[SETTINGS_NAME_SIZE];
		settings_environment_name(option_table[i].key, known);
		unsigned distance = nearest_distance(name + strlen(PREFIX), known + strlen(PREFIX));
		if (!best || distance < best_distance) {
			best = option_table[i].key;
			best_distance = distance;
		}
	}
	char nearest[SETTINGS_NAME_SIZE];
	settings_environment_name(best, nearest);
	return error_set(err, ERROR_CONFIG, "env %.80s: names no option, the nearest is %s", name, nearest);
}

static int add_variable(struct settings *s, size_t first, const char *variable, struct error *err)
{
	const char *equals = strchr(variable, '=');
	size_t length = equals ? (size_t)(equals - variable) : 0;
	char place[4 + SETTINGS_NAME_SIZE + 8] = "env ";
	char *name = place + strlen(place);

	if (!equals || strncmp(variable, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	/* Too long a name is cut, and then is no option's either. */
	snprintf(name, sizeof(place) - (size_t)(name - place), "%.*s", (int)length, variable);
	if (is_ignored(name))
		return 0;

	struct setting setting = {.value = (char *)equals + 1, .place = place};
	if (!find_variable(name, &setting))
		return refuse_variable(name, err);
	return add(s, first, &setting, err);
}

int settings_add_environment(struct settings *s, char *const *environment, struct error *err)
{
	size_t first = s->count;
	int r = 0;

	for (; environment && *environment && r == 0; environment++)
		r = add_variable(s, first, *environment, err);
	return r;
}

int settings_add_central(struct settings *s, const struct config_central *central, unsigned count, struct error *err)
{
	size_t first = s->count;
	int r = 0;

	for (unsigned i = 0; i < count && r == 0; i++) {
		struct setting setting = {.value = (char *)central[i].value, .place = (char *)central[i].place};
		char why[160];

		if (!find_row(central[i].key, &setting, why, sizeof(why)))
			return error_set(err, ERROR_CONFIG, "%s: %.60s: %s", central[i].place, central[i].key, why);
		r = add(s, first, &setting, err);
	}
	return r;
}

static int add_set(struct settings *s, size_t first, const char *text, struct error *err)
{
	size_t length = strcspn(text, "=");
	char place[] = "--set";
	char key[DOCUMENT_KEY_MAX];
	char why[160];
	struct setting setting = {.place = place};

	if (text[length] != '=')
		return error_set(err, ERROR_CONFIG, "--set %.60s: expected KEY=VALUE", text);
	snprintf(key, sizeof(key), "%.*s", (int)(length < sizeof(key) ? length : sizeof(key)), text);
	if (!find_row(key, &setting, why, sizeof(why)))
		return error_set(err, ERROR_CONFIG, "--set: %.60s: %s", key, why);
	setting.value = (char *)text + length + 1;
	return add(s, first, &setting, err);
}

int settings_add_sets(struct settings *s, const char *const *sets, unsigned count, struct error *err)
{
	size_t first = s->count;
	int r = 0;

	for (unsigned i = 0; i < count && r == 0; i++)
		r = add_set(s, first, sets[i], err);
	return r;
}

void settings_finish(struct settings *s)
{
	for (size_t i = 0; i < s->count; i++)
		finish_setting(&s->items[i]);
	free(s->items);
	*s = (struct settings){0};
}
