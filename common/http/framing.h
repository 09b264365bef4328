#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "http/problem.h"

/*
 * Where a request ends. What two readers could understand in two ways is refused (RFC 9112, 6.3 and 11.2): else one of
 * them may take a part of this request for another one. Inside of common/http.
 */

/** What the headers say about it. */
struct framing {
	unsigned transfer_encodings;
	unsigned content_lengths;
	unsigned hosts;
	bool chunked;
	bool bad_length;
	bool bad_name;
	bool folded;
	uint64_t length; /**< 0 when it is not said, or badly */
};

/** Reads the headers of a request whose headers are there. */
void framing_read(struct framing *framing, struct MHD_Connection *connection);

/** False: the request is to be refused with `problem`, and its connection to be closed. */
bool framing_is_clear(const struct framing *framing, const char *version, struct http_problem *problem) must_check;

#endif
