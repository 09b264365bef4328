#ifndef STORE_CENTRAL_H
#define STORE_CENTRAL_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/store.h"

/*
 * Settings that the whole fleet shares, and every change that was ever made to them. Each change has a revision, one
 * more than the one before. What a setting may say is not checked here.
 */

#define CENTRAL_MAX 500 /**< settings at a time */

/** A setting. The strings are borrowed. */
struct central_setting {
	const char *program; /**< "worker", "gateway", …; "": for all */
	const char *key;
	const char *value; /**< NULL: there is none */
	uint64_t revision; /**< of its last change */
};

/** One line of the history. The strings are borrowed. */
struct central_change {
	uint64_t revision;
	int64_t at_ms;
	const char *who; /**< "user@host" */
	const char *program;
	const char *key;
	const char *before; /**< NULL: there was none */
	const char *after;  /**< NULL: it was removed */
};

/* A negative return of these stops and is returned. */
typedef int central_setting_fn(void *arg, const struct central_setting *setting, struct error *err);
typedef int central_change_fn(void *arg, const struct central_change *change, struct error *err);

/** The newest revision; 0 before the first change. */
int central_revision(struct store *store, uint64_t *revision, struct error *err) must_check;

/** All settings: those for all programs first, then program by program, by key. */
int central_list(struct store *store, central_setting_fn *fn, void *arg, struct error *err) must_check;

/** The newest `limit` changes, the newest first. */
int central_history(struct store *store, unsigned limit, central_change_fn *fn, void *arg,
		    struct error *err) must_check;

/** What must be written so that all is as it was at `revision`; the settings' own revisions are 0. */
int central_undo(struct store *store, uint64_t revision, central_setting_fn *fn, void *arg,
		 struct error *err) must_check;

/**
 * Sets those with a value and removes those without, all or none. What is so already is no change. `revision` is the
 * one that the caller has looked at, and gets the newest one; `changed` gets how many changed. `config` when there
 * would be more than CENTRAL_MAX, and when others made another revision meanwhile: together, both might make no sense.
 */
int central_write(struct store *store, const struct central_setting *settings, unsigned count, const char *who,
		  int64_t now_ms, uint64_t *revision, unsigned *changed, struct error *err) must_check;

#endif
