#ifndef AMQP_PROPERTIES_H
#define AMQP_PROPERTIES_H

#include <amqp.h>

#include "job/envelope.h"

#define PROPERTIES_MAX_HEADERS 10

/** The properties of one message on its way out. They borrow every string of the envelope. */
struct properties {
	amqp_basic_properties_t basic;
	amqp_table_entry_t headers[PROPERTIES_MAX_HEADERS];
};

/**
 * Fills in what `envelope` carries, persistent, with the time of now. Absent members are left
 * out; nothing that belongs to the broker (`x-*`) is ever written. Not to be moved afterwards.
 */
void properties_from_envelope(struct properties *out, const struct envelope *envelope);

/**
 * Reads the properties and headers of a received message. Never fails: what is missing, of
 * another type, longer than its place or holds a NUL is absent, except free text (reasons, the
 * content type), which is cut. The reason and queue of death are those of the newest death.
 */
void properties_to_envelope(struct envelope *out, const amqp_basic_properties_t *properties);

/** Copies bytes into a string of `size`; "" when they do not fit or hold a NUL. */
void properties_copy_text(char *out, size_t size, amqp_bytes_t bytes);

#endif
