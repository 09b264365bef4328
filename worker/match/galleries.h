#ifndef MATCH_GALLERIES_H
#define MATCH_GALLERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "face/gallery.h"
#include "store/store.h"

/**
 * Everybody who is enrolled, in memory: a gallery for each collection, under one model, as of one version of the
 * store. One thread loads and follows, any number search meanwhile.
 */
struct galleries;

/** `model_id` outlives it. NULL when memory is out. */
struct galleries *galleries_new(const char *model_id, int dimension) must_check;

/** Nobody may be searching. NULL is fine. */
void galleries_free(struct galleries *galleries);

/**
 * Called for each person that is loaded or has changed, with the version of their last change, before they are put into
 * a gallery or taken out of it. Returns 0 or -ENOMEM.
 */
typedef int galleries_seen_fn(void *arg, const char *collection, const char *user_id, uint64_t version);

/**
 * Brings the galleries to the store's version: the first time by loading everything, later by the persons that
 * changed. Errors are the store's; `config` (fatal) when the store's version went back, which means that it is
 * another store or an older copy of it. Blocking.
 */
int galleries_follow(struct galleries *galleries, struct store *store, galleries_seen_fn *seen, void *arg,
		     struct error *err) must_check;

/** True once everything was loaded. Any thread. */
bool galleries_are_loaded(struct galleries *galleries);

/** Up to which version of the store they are. Any thread. */
uint64_t galleries_version(struct galleries *galleries);

/** The gallery of a collection, NULL if nobody is enrolled there; lives as long as the galleries. Any thread, once
 * everything was loaded. */
struct gallery *galleries_find(struct galleries *galleries, const char *collection);

/** Of all collections together. Any thread. */
struct gallery_size galleries_size(struct galleries *galleries);

#endif
