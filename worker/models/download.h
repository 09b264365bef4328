#ifndef MODELS_DOWNLOAD_H
#define MODELS_DOWNLOAD_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/** A file whose size and SHA-256 are known before it is fetched. */
struct download {
	const char *url;
	const char *path; /**< where it goes; while it is not whole and checked it is called `path`.part */
	int64_t size;
	const char *sha256;                                   /**< lower-case hex */
	void (*progress)(void *arg, int64_t got, int64_t of); /**< called often; may be NULL */
	void *arg;
};

/**
 * Fetches a file with libcurl (redirects, https_proxy and no_proxy are followed) and puts it in place in one step, once
 * it is checked. A .part that is there is carried on; a server that ignores Range begins anew. Never writes more than
 * `size` bytes. Blocking, until a stop is requested; a connection that stands still for a minute is given up.
 *
 * Errors: `connection` when it ended early (what came is kept for the next try) or the server refused; `model` when
 * size or SHA-256 differ (the .part is removed); `internal` when the file cannot be written. Nothing is done if
 * `path` is there already with that SHA-256.
 */
int download_run(const struct download *download, struct error *err) must_check;

#endif
