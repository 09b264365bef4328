#include "config/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "config/document.h"
#include "config/effective.h"

#define DEFAULT_PATH "/etc/facefleet/facefleet.yaml"
#define SECRET_FILE_MAX 65536
/* Of a path, what errors and --print-config show: its end. */
#define SHOWN_PATH_MAX 90

static int out_of_memory(struct error *err)
{
	error_set(err, ERROR_CONFIG, "out of memory");
	return -ENOMEM;
}

static int check(const struct setting *setting, const char *text, struct value *value, struct error *err)
{
	char why[160];

	if (value_parse(setting->row, text, value, why, sizeof(why)) == 0)
		return 0;
	return settings_fault(setting, err, "%s", why);
}

/* Reads the file a secret is in. free() *out. */
static int read_secret(const struct setting *setting, char **out, struct error *err)
{
	struct buffer content = {.limit = SECRET_FILE_MAX};
	struct error reason;
	int r = buffer_read_file(&content, setting->value, SECRET_FILE_MAX, &reason);

	if (r < 0) {
		settings_fault(setting, err, "%s", reason.text);
		buffer_finish(&content);
		return r;
	}
	if (memchr(content.data, '\0', content.size)) {
		buffer_finish(&content);
		return settings_fault(setting, err, "%.100s holds a zero byte", setting->value);
	}
	if (content.size > 0 && content.data[content.size - 1] == '\n')
		content.data[content.size - 1] = '\0';
	*out = (char *)buffer_steal(&content);
	return 0;
}

static struct config_value *place_of(struct config *config, const struct setting *setting, struct error *err)
{
	if (scene_key_is_field(setting->row))
		return config_scene_place(config, setting, err);
	return &config->options[setting->row - option_table];
}

/* Puts a setting in its option's place. */
static int take(struct config *config, const struct setting *setting, struct error *err)
{
	struct config_value *place = place_of(config, setting, err);

	if (!place)
		return -EINVAL;
	char *text = NULL;
	char *source = strdup(setting->place);
	struct value value = {0};
	int r = 0;

	if (setting->is_path)
		r = read_secret(setting, &text, err);
	else
		text = strdup(setting->value);
	if (r == 0 && (!text || !source))
		r = out_of_memory(err);
	if (r == 0)
		r = check(setting, text, &value, err);
	if (r < 0) {
		free(text);
		free(source);
		return r;
	}
	free(place->text);
	free(place->source);
	*place = (struct config_value){.text = text, .source = source, .value = value};
	return 0;
}

static int take_defaults(struct config *config, struct error *err)
{
	int r = 0;

	for (int i = 0; i < OPTION_COUNT && r == 0; i++)
		r = take(config,
			 &(struct setting){.row = &option_table[i],
					   .key = (char *)option_table[i].key,
					   .value = (char *)option_table[i].fallback,
					   .place = (char *)"default"},
			 err);
	return r;
}

/* Of an option; scenes hold no secrets, so nobody asks about theirs. */
static bool is_overruled(const struct settings *settings, size_t index)
{
	for (size_t i = index + 1; i < settings->count; i++)
		if (settings->items[i].row == settings->items[index].row)
			return true;
	return false;
}

int config_merge(struct config **out, const struct settings *settings, struct error *err)
{
	struct config *config = calloc(1, sizeof(*config));
	int r = config ? take_defaults(config, err) : out_of_memory(err);

	if (config)
		config_scenes_begin(config);
	for (size_t i = 0; i < settings->count && r == 0; i++) {
		const struct setting *setting = &settings->items[i];
		/* Mistakes in what is overruled are shown too, but its files may be absent. */
		if (!setting->is_path || !is_overruled(settings, i))
			r = take(config, setting, err);
	}
	if (r == 0)
		r = config_scenes_end(config, err);
	if (r < 0) {
		config_free(config);
		return r;
	}
	*out = config;
	return 0;
}

/* The end of a long path, so that line and key always fit into an error. */
static void shorten_path(const char *path, char out[SHOWN_PATH_MAX + 4])
{
	size_t length = strlen(path);

	if (length <= SHOWN_PATH_MAX)
		memcpy(out, path, length + 1);
	else
		sprintf(out, "…%s", path + length - SHOWN_PATH_MAX);
}

static int add_file(struct settings *settings, const char *path, struct error *err)
{
	struct buffer text = {.limit = DOCUMENT_TEXT_MAX};
	char name[SHOWN_PATH_MAX + 4];
	int r = buffer_read_file(&text, path, DOCUMENT_TEXT_MAX, err);

	shorten_path(path, name);
	if (r == 0)
		r = settings_add_yaml(settings, name, text.data, text.size, err);
	buffer_finish(&text);
	return r;
}

const char *config_path(const struct config_sources *sources)
{
	const char *path = sources->path ? sources->path : getenv("FACEFLEET_CONFIG");

	return path || access(DEFAULT_PATH, F_OK) < 0 ? path : DEFAULT_PATH;
}

static int gather(struct settings *settings, const struct config_sources *sources, struct error *err)
{
	const char *path = config_path(sources);
	int r = path ? add_file(settings, path, err) : 0;

	if (r == 0)
		r = settings_add_central(settings, sources->central, sources->central_count, err);
	if (r == 0)
		r = settings_add_environment(settings, environ, err);
	if (r == 0)
		r = settings_add_sets(settings, sources->sets, sources->set_count, err);
	return r;
}

int config_load(struct config **out, const struct config_sources *sources, struct error *err)
{
	struct settings settings = {0};
	int r = gather(&settings, sources, err);

	if (r == 0)
		r = config_merge(out, &settings, err);
	settings_finish(&settings);
	return r;
}

static void free_values(struct config_value *values, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		free(values[i].text);
		free(values[i].source);
	}
}

int config_check_central(const char *key, const char *value, struct error *err)
{
	const struct config_central central = {.key = key, .value = value ? value : "", .place = "central"};
	struct settings settings = {0};
	struct value read;
	int r = settings_add_central(&settings, &central, 1, err);

	if (r == 0) {
		const struct setting *setting = &settings.items[0];
		if (setting->is_path || setting->row->type == OPTION_SECRET)
			r = settings_fault(setting, err, "a secret cannot be shared this way");
		else if (setting->row->change == OPTION_RESTARTS)
			r = settings_fault(setting, err, "cannot change without a restart, so it stays in the file");
		else if (value)
			r = check(setting, value, &read, err);
	}
	settings_finish(&settings);
	return r;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (int i = 0; i < OPTION_COUNT; i++)
		if (config->options[i].text && option_table[i].type == OPTION_SECRET)
			explicit_bzero(config->options[i].text, strlen(config->options[i].text));
	free_values(config->options, OPTION_COUNT);
	for (unsigned i = 0; i < config->scene_count; i++)
		free_values(config->scenes[i].fields, SCENE_FIELD_COUNT);
	free(config);
}

const struct scene_table *config_scenes(const struct config *config)
{
	return &config->scene_table;
}

const char *config_string(const struct config *config, enum option_id option)
{
	enum option_type type = option_table[option].type;

	assert(type == OPTION_STRING || type == OPTION_SECRET || type == OPTION_CHOICE);
	return config->options[option].text;
}

int64_t config_integer(const struct config *config, enum option_id option)
{
	assert(option_table[option].type == OPTION_INTEGER);
	return config->options[option].value.integer;
}

double config_number(const struct config *config, enum option_id option)
{
	assert(option_table[option].type == OPTION_NUMBER);
	return config->options[option].value.number;
}

bool config_boolean(const struct config *config, enum option_id option)
{
	assert(option_table[option].type == OPTION_BOOLEAN);
	return config->options[option].value.boolean;
}
