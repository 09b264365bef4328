#include "catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "face/builtin.h"

#define MAX_YAML_BYTES (64u << 10)
#define MAX_SETS 1000

static bool has_yaml(const char *folder)
{
	char path[PATH_MAX];

	return (size_t)snprintf(path, sizeof(path), "%s/model.yaml", folder) < sizeof(path) && access(path, R_OK) == 0;
}

/* Only a detector has a decoder. */
static bool is_detector(const char *folder)
{
	struct buffer text = {0};
	struct error ignored = {0};
	char path[PATH_MAX];
	bool found = false;

	if ((size_t)snprintf(path, sizeof(path), "%s/model.yaml", folder) < sizeof(path) &&
	    buffer_read_file(&text, path, MAX_YAML_BYTES, &ignored) == 0 && text.size > 0)
		found = strncmp((const char *)text.data, "decoder:", 8) == 0 ||
			strstr((const char *)text.data, "\ndecoder:") != NULL;
	buffer_finish(&text);
	return found;
}

/* Fills `folder` in with the built-in one. */
static int take_builtin(const char *kind, char folder[PATH_MAX], struct error *err)
{
	char found[BUILTIN_PATH_SIZE];
	int r = builtin_model_folder("", kind, found, err);

	if (r == 0 && !realpath(found, folder))
		return error_set(err, ERROR_MODEL, "%.180s: %s", found, strerror(errno));
	return r;
}

static int complete(struct set_place *set, struct error *err)
{
	int r = set->has_detector ? 0 : take_builtin("detector", set->detector, err);

	return r < 0 || set->has_embedder ? r : take_builtin("embedder", set->embedder, err);
}

/* True if there is at least half a set. */
static bool look_into(struct set_place *set, const char *folder)
{
	if (strlen(folder) + sizeof("/detector") > PATH_MAX)
		return false;
	if (has_yaml(folder)) {
		set->has_detector = is_detector(folder);
		set->has_embedder = !set->has_detector;
		strcpy(set->has_detector ? set->detector : set->embedder, folder);
		return true;
	}
	sprintf(set->detector, "%s/detector", folder);
	sprintf(set->embedder, "%s/embedder", folder);
	set->has_detector = has_yaml(set->detector);
	set->has_embedder = has_yaml(set->embedder);
	return set->has_detector || set->has_embedder;
}

static struct set_place *add(struct catalogue *catalogue, const char *name, const char *origin)
{
	struct set_place *grown = reallocarray(catalogue->sets, catalogue->count + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	catalogue->sets = grown;
	struct set_place *set = &grown[catalogue->count++];
	*set = (struct set_place){.origin = origin};
	snprintf(set->name, sizeof(set->name), "%s", name);
	return set;
}

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "no memory for the list of model sets");
}

static int add_configured(struct catalogue *catalogue, const struct config *config, struct error *err)
{
	const char *detector = config_string(config, OPTION_MODEL_DETECTOR);
	const char *embedder = config_string(config, OPTION_MODEL_EMBEDDER);

	if (!detector[0] && !embedder[0])
		return 0;
	struct set_place *set = add(catalogue, "configured", "configured");
	if (!set)
		return out_of_memory(err);
	snprintf(set->detector, sizeof(set->detector), "%s", detector);
	snprintf(set->embedder, sizeof(set->embedder), "%s", embedder);
	set->has_detector = detector[0];
	set->has_embedder = embedder[0];
	return complete(set, err);
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int add_folder(struct catalogue *catalogue, const char *folder, const char *name, struct error *err)
{
	struct set_place found = {0};
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path) || !look_into(&found, path))
		return 0;
	struct set_place *set = add(catalogue, name, "folder");
	if (!set)
		return out_of_memory(err);
	look_into(set, path);
	return complete(set, err);
}

static int add_folders(struct catalogue *catalogue, const char *folder, struct error *err)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, not_hidden, alphasort);
	int r = 0;

	if (count < 0 && errno != ENOENT)
		return error_set(err, ERROR_MODEL, "model.folder: %.180s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (r == 0 && i < MAX_SETS)
			r = add_folder(catalogue, folder, entries[i]->d_name, err);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return r;
}

int catalogue_read(struct catalogue *catalogue, const struct config *config, struct error *err)
{
	*catalogue = (struct catalogue){0};
	struct set_place *set = add(catalogue, "default", "built-in");
	int r = set ? complete(set, err) : out_of_memory(err);

	if (r == 0) {
		set->has_detector = set->has_embedder = true;
		r = add_configured(catalogue, config, err);
	}
	if (r == 0)
		r = add_folders(catalogue, config_string(config, OPTION_MODEL_FOLDER), err);
	if (r < 0)
		catalogue_finish(catalogue);
	return r;
}

void catalogue_finish(struct catalogue *catalogue)
{
	free(catalogue->sets);
	*catalogue = (struct catalogue){0};
}

static int find_name(struct set_place *out, const struct config *config, const char *name, struct error *err)
{
	struct catalogue catalogue;
	int r = catalogue_read(&catalogue, config, err);

	if (r < 0)
		return r;
	r = -ENOENT;
	for (size_t i = 0; i < catalogue.count && r < 0; i++) {
		if (strcmp(catalogue.sets[i].name, name) == 0) {
			*out = catalogue.sets[i];
			r = 0;
		}
	}
	catalogue_finish(&catalogue);
	if (r < 0)
		return error_set(
		    err, ERROR_MODEL,
		    "no model set \"%.80s\"; `facefleet models list` names those there are, a path has a slash", name);
	return 0;
}

int catalogue_find(struct set_place *out, const struct config *config, const char *what, struct error *err)
{
	struct set_place set = {.origin = "folder"};

	if (!strchr(what, '/') && strcmp(what, ".") != 0)
		return find_name(out, config, what, err);
	snprintf(set.name, sizeof(set.name), "%s", what);
	if (!look_into(&set, what))
		return error_set(err, ERROR_MODEL, "%.180s: neither model.yaml nor detector/ and embedder/ in it",
				 what);
	int r = complete(&set, err);
	if (r == 0)
		*out = set;
	return r;
}
