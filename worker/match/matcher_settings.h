#ifndef MATCH_MATCHER_SETTINGS_H
#define MATCH_MATCHER_SETTINGS_H

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "face/builtin.h"
#include "matcher.h"

/** Where the models are that the configuration names. */
struct matcher_folders {
	char detector[BUILTIN_PATH_SIZE];
	char embedder[BUILTIN_PATH_SIZE];
};

/** Finds the folders of the models that the configuration names; see builtin_model_folder(). */
int matcher_settings_find_models(struct matcher_folders *out, const struct config *config,
				 struct error *err) must_check;

/** Loads the models that the configuration names, and logs which. The caller frees them with modelset_free(). Takes
 * a good part of a second. */
int matcher_settings_load_models(struct modelset **out, const struct config *config, struct error *err) must_check;

/** Of that, what may change while a matcher lives. */
struct matcher_rules matcher_rules_from_config(const struct config *config);

/** What the configuration says of matching, without caches and people. Borrows `models`. */
struct matcher_settings matcher_settings_from_config(const struct config *config, const struct modelset *models);

#endif
