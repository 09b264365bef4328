#ifndef AMQP_FRAMES_H
#define AMQP_FRAMES_H

#include <amqp.h>
#include <stdint.h>

#include "amqp/message.h"
#include "base/compiler.h"

/** What the frames of a connection turn out to be. All run inside frames_handle(). */
struct frames_ops {
	/** A whole message for a consumer, or that was asked for (basic.get); takes it over. Returns as on_method()
	 * does. */
	int (*on_delivery)(void *arg, struct amqp_delivery *delivery);
	/** A message of ours that no queue took: exchange, routing key and envelope, without its body. */
	void (*on_return)(void *arg, const struct amqp_delivery *returned);
	/** Any other method, on any channel. Returns 0, or a negative errno that frames_handle() returns. */
	int (*on_method)(void *arg, const amqp_method_t *method);
};

/** Puts messages together from the frames they arrive in: a method, a header, and as many pieces of body as it takes.
 */
struct frames {
	const struct frames_ops *ops;
	void *arg;
	uint64_t generation;
	/* The message that is being put together, NULL when none is. */
	struct amqp_delivery *partial;
	bool returned; /**< it is one that came back */
	bool has_header;
	uint64_t expected; /**< bytes of body */
	uint64_t received;
};

/** Begins on a new connection. */
void frames_init(struct frames *f, const struct frames_ops *ops, void *arg, uint64_t generation);

/** Drops a half-built message. */
void frames_finish(struct frames *f);

/**
 * Takes one frame; everything in it is copied, so the library's buffers may be released
 * afterwards. Returns 0, -EPROTO for a frame that cannot come here, -ENOMEM, or what on_method()
 * returned: after any of those the connection is of no more use.
 */
int frames_handle(struct frames *f, const amqp_frame_t *frame) must_check;

/** Consumer tags carry the consumer's number, so that a delivery finds its way back. */
void frames_format_tag(char *out, size_t size, unsigned consumer, unsigned serial);

/** The consumer's number, or -1 for a tag that is none of ours. */
int frames_parse_tag(amqp_bytes_t tag);

#endif
