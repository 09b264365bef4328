#ifndef STORE_ENDPOINTS_H
#define STORE_ENDPOINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/store.h"

/*
 * What is known of those who get callbacks: a secret of their own to sign with (two while one replaces the other), and
 * whether they are switched off. An endpoint is named by a host ("hooks.example.com": any scheme and port) or by how
 * its URLs begin ("https://example.com/hooks": that path and what is below it). The longest name that fits counts.
 */

#define ENDPOINTS_PREFIX_SIZE 513
#define ENDPOINTS_SECRET_SIZE 51  /**< "whsec_" and 32 bytes in base64 */
#define ENDPOINTS_REASON_SIZE 129 /**< longer ones are cut */
#define ENDPOINTS_MAX 4096        /**< no store has more of them */

/** How long callbacks are signed with the old secret too. */
#define ENDPOINTS_ROTATION_MS (24 * 3600 * INT64_C(1000))

struct callback_endpoint {
	char prefix[ENDPOINTS_PREFIX_SIZE];
	char secret[ENDPOINTS_SECRET_SIZE];     /**< "": none of its own */
	char old_secret[ENDPOINTS_SECRET_SIZE]; /**< "": none */
	int64_t created_at_ms;
	int64_t rotated_at_ms;  /**< 0: never */
	int64_t disabled_at_ms; /**< 0: it gets callbacks */
	char reason[ENDPOINTS_REASON_SIZE];
};

/**
 * Brings a name, or the URL of a callback, into the one spelling that names are stored and compared in: scheme and host
 * in lower case, no default port, no query. A path with "." or ".." in it counts as "/": where it leads is known only
 * to those who resolve it. What is neither a host nor a URL, or is too long, is `config`.
 */
int endpoints_canonical(const char *text, char out[ENDPOINTS_PREFIX_SIZE], struct error *err) must_check;

/** How well a name fits a URL, both canonical: 0 not at all; the higher number is the closer fit. */
unsigned endpoints_fit(const char *prefix, const char *url) must_check;

/** True while callbacks are signed with the old secret too. */
bool endpoints_is_rotating(const struct callback_endpoint *endpoint, int64_t now_ms) must_check;

enum endpoints_outcome {
	ENDPOINTS_MADE,    /**< it has its first secret */
	ENDPOINTS_ROTATED, /**< a second one, beside the old */
	ENDPOINTS_EXISTS,  /**< it has a secret, and `rotate` was not asked for: nothing was done */
	ENDPOINTS_TOO_MANY /**< ENDPOINTS_MAX: nothing was done */
};

/** Gives an endpoint a new random secret, "whsec_...", which `secret` gets when it was made. */
int endpoints_set_secret(struct store *store, const char *prefix, bool rotate, int64_t now_ms,
			 char secret[ENDPOINTS_SECRET_SIZE], enum endpoints_outcome *outcome,
			 struct error *err) must_check;

/** Endpoints by name; a negative return of `fn` stops and is returned. */
typedef int callback_endpoint_fn(void *arg, const struct callback_endpoint *endpoint, struct error *err);
int endpoints_list(struct store *store, callback_endpoint_fn *fn, void *arg, struct error *err) must_check;

/** Switches an endpoint off, known before or not. `done` false: it was off (and keeps why), or there are too many. */
int endpoints_disable(struct store *store, const char *prefix, const char *reason, int64_t now_ms, bool *done,
		      struct error *err) must_check;

/** Switches it on again; one without a secret is forgotten. `found` false: there is none of that name. */
int endpoints_enable(struct store *store, const char *prefix, bool *found, struct error *err) must_check;

/** Forgets it with its secrets. */
int endpoints_remove(struct store *store, const char *prefix, bool *found, struct error *err) must_check;

#endif
