#include "commands.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/executable.h"
#include "base/stop.h"
#include "download.h"
#include "face/modelset.h"
#include "recipe.h"

/* From the program's folder: installed (bin/), and built (build/worker/models/). */
static const char *const places[] = {"../share/facefleet/models/recipes", "../../../deploy/models/recipes"};

static int is_recipe(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return end && strcmp(end, ".yaml") == 0;
}

/* Appends the names of the recipes in a folder to `names`. */
static void list_recipes(const char *folder, char *names, size_t size)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_recipe, alphasort);

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		size_t used = strlen(names);

		snprintf(names + used, size - used, "%s%.*s", used > 0 ? ", " : "", (int)(strrchr(name, '.') - name),
			 name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static int refuse_recipe(const char *name, const char *program, struct error *err)
{
	char folder[PATH_MAX];
	char names[128] = "";

	for (size_t i = 0; i < array_size(places); i++)
		if ((size_t)snprintf(folder, sizeof(folder), "%s/%s", program, places[i]) < sizeof(folder))
			list_recipes(folder, names, sizeof(names));
	return error_set(err, ERROR_MODEL,
			 "no recipe \"%.60s\"; there is: %s (one of your own is given by a path with a slash)", name,
			 *names ? names : "none");
}

static int find_recipe(const char *name, char path[PATH_MAX], struct error *err)
{
	char program[PATH_MAX / 2];

	if (strchr(name, '/')) {
		if ((size_t)snprintf(path, PATH_MAX, "%s", name) < PATH_MAX)
			return 0;
		return error_set(err, ERROR_MODEL, "the path of the recipe is too long");
	}
	int r = executable_folder(program, sizeof(program));
	if (r < 0)
		return error_set(err, ERROR_MODEL, "where the program is cannot be found: %s", strerror(-r));
	for (size_t i = 0; i < array_size(places); i++)
		if ((size_t)snprintf(path, PATH_MAX, "%s/%s/%s.yaml", program, places[i], name) < PATH_MAX &&
		    access(path, R_OK) == 0)
			return 0;
	return refuse_recipe(name, program, err);
}

/* mkdir -p */
static int make_folders(const char *path, struct error *err)
{
	char part[PATH_MAX];

	if ((size_t)snprintf(part, sizeof(part), "%s", path) >= sizeof(part))
		return error_set(err, ERROR_MODEL, "%.200s: the path is too long", path);
	for (char *slash = part + 1;; slash++) {
		slash += strcspn(slash, "/");
		bool last = !*slash;
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return error_set(err, ERROR_MODEL, "%.180s: %s; another place is --set model.folder=DIR", part,
					 strerror(errno));
		if (last)
			return 0;
		*slash = '/';
	}
}

static void show_progress(void *arg, int64_t got, int64_t of)
{
	int *shown = arg;
	int percent = (int)(100 * got / of);

	if (percent != *shown)
		fprintf(stderr, "\r%3d %% of %.1f MB%s", percent, (double)of / 1e6, got == of ? "\n" : "");
	*shown = percent;
}

/* In one step, so that a folder with a model.yaml is always whole. */
static int put_yaml(const char *folder, const char *yaml, struct error *err)
{
	char part[PATH_MAX];
	char path[PATH_MAX];

	snprintf(part, sizeof(part), "%s/model.yaml.part", folder);
	snprintf(path, sizeof(path), "%s/model.yaml", folder);
	FILE *file = fopen(part, "we");
	bool written = file && fputs(yaml, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
	if (file)
		written = fclose(file) == 0 && written;
	if (written && rename(part, path) == 0)
		return 0;
	return error_set(err, ERROR_INTERNAL, "%.180s: %s", part, strerror(errno));
}

static int fetch_part(const struct request *request, const struct recipe_part *part, const char *folder,
		      struct error *err)
{
	bool quiet = request->quiet;
	char path[PATH_MAX];
	int shown = -1;
	struct download download = {.url = part->url, .path = path, .size = part->size, .sha256 = part->file.sha256};

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, part->file.name) >= sizeof(path))
		return error_set(err, ERROR_MODEL, "%.200s: the path is too long", folder);
	if (!quiet)
		printf("%s, licence %s\n  %s\n", part->model, part->licence, part->url);
	fflush(stdout);
	if (!quiet && isatty(STDERR_FILENO)) {
		download.progress = show_progress;
		download.arg = &shown;
	}
	int r = make_folders(folder, err);
	if (r == 0)
		r = download_run(&download, err);
	if (shown >= 0 && shown < 100)
		fputc('\n', stderr);
	return r == 0 ? put_yaml(folder, part->yaml, err) : r;
}

static int fetch(const struct request *request, const struct recipe *recipe, struct error *err)
{
	const char *base = config_string(request->config, OPTION_MODEL_FOLDER);
	struct modelset *models = NULL;
	char detector[PATH_MAX];
	char embedder[PATH_MAX];

	snprintf(detector, sizeof(detector), "%s/%s/detector", base, recipe->name);
	snprintf(embedder, sizeof(embedder), "%s/%s/embedder", base, recipe->name);
	if (!request->quiet)
		printf("%s: %s\n", recipe->name, recipe->about);
	int r = fetch_part(request, &recipe->detector, detector, err);
	if (r == 0)
		r = fetch_part(request, &recipe->embedder, embedder, err);
	if (r == 0)
		r = modelset_load(&models, detector, embedder, err);
	modelset_free(models);
	if (r == 0 && !request->quiet)
		printf("\nIn place. For the settings file:\nmodel:\n  detector: %s\n  embedder: %s\n", detector,
		       embedder);
	return r;
}

enum models_status command_fetch(const struct request *request)
{
	struct recipe *recipe = calloc(1, sizeof(*recipe));
	struct error err = {0};
	char path[PATH_MAX];
	int r = 0;

	if (!recipe)
		r = error_set(&err, ERROR_INTERNAL, "out of memory");
	else if (request->operand_count != 1)
		r = error_set(&err, ERROR_CONFIG, "fetch takes the NAME of a recipe");
	if (r == 0)
		r = find_recipe(request->operands[0], path, &err);
	if (r == 0)
		r = recipe_read(recipe, path, &err);
	bool readable = r == 0;
	if (r == 0)
		r = fetch(request, recipe, &err);
	free(recipe);
	if (r == 0)
		return MODELS_OK;
	complain(&err);
	return stop_requested() ? MODELS_ABORTED : readable ? MODELS_FAILED : MODELS_USAGE;
}
