#ifndef JOB_CONTROL_H
#define JOB_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/* What the programs of a fleet tell each other on the control exchange. Always JSON; whoever misses a message finds
 * out by other means, so nobody waits for one. */

enum control_kind {
	CONTROL_OTHER,          /**< of a later release: ignore it */
	CONTROL_PEOPLE_CHANGED, /**< the store's people have a new version */
	CONTROL_PHOTOS_FORGET   /**< forget the faces of photographs seen before */
};

struct control {
	enum control_kind kind;
	uint64_t version; /**< CONTROL_PEOPLE_CHANGED */
};

/** Appends the message. Returns 0, -ENOMEM or -EMSGSIZE. */
int control_encode(const struct control *control, struct buffer *out) must_check;

/** Unknown kinds are CONTROL_OTHER, unknown fields ignored. -EBADMSG and `err` with the field's path if it is no such
 * message. */
int control_decode(struct control *control, const uint8_t *body, size_t size, struct error *err) must_check;

#endif
