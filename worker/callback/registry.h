#ifndef CALLBACK_REGISTRY_H
#define CALLBACK_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "signature.h"
#include "store/endpoints.h"
#include "store/store.h"

/*
 * What the store says of endpoints: secrets of their own, and which are switched off. A thread of its own reads it
 * every few seconds; while the store is away the last answer counts. One other thread asks, and never waits.
 */

#define REGISTRY_REFRESH_MS 3000
#define REGISTRY_MAX_GONE 64 /**< endpoints that the store is still to be told of */

struct registry;

/** What is known of where a callback goes. Zero: nothing. */
struct registry_entry {
	const struct signature_keys *keys; /**< NULL: the common ones */
	const char *disabled;              /**< why, or NULL */
};

/** Copies the settings; the store is read every `refresh_ms`. NULL when memory is out. */
struct registry *registry_new(const struct store_settings *settings, int64_t refresh_ms) must_check;

/**
 * Reads the store, waiting for it as long as its time limit says, and starts the thread whatever came of that. Returns
 * 0 or a negative errno.
 */
int registry_start(struct registry *registry) must_check;

/** Ends the thread (a call of the store is waited for) and frees everything. NULL is fine. */
void registry_free(struct registry *registry);

/** Looks a callback's URL up (registry NULL: nothing is known). What `out` points to lives until the next call. */
void registry_look(struct registry *registry, const char *url, struct registry_entry *out);

/**
 * Switches the endpoint of that URL off, from now on here and soon in the store: by the name it has there, or else by
 * the URL without its query. False if that cannot be kept in mind.
 */
bool registry_disable(struct registry *registry, const char *url, const char *reason);

#endif
