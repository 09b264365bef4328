#include "amqp/frames.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/properties.h"
#include "base/clock.h"

void frames_init(struct frames *f, const struct frames_ops *ops, void *arg, uint64_t generation)
{
	*f = (struct frames){.ops = ops, .arg = arg, .generation = generation};
}

void frames_finish(struct frames *f)
{
	amqp_delivery_free(f->partial);
	f->partial = NULL;
}

void frames_format_tag(char *out, size_t size, unsigned consumer, unsigned serial)
{
	snprintf(out, size, "c%u.%u", consumer, serial);
}

int frames_parse_tag(amqp_bytes_t tag)
{
	char text[32];
	char *end;

	properties_copy_text(text, sizeof(text), tag);
	if (text[0] != 'c')
		return -1;
	unsigned long number = strtoul(text + 1, &end, 10);
	return end > text + 1 && *end == '.' && number <= INT16_MAX ? (int)number : -1;
}

static int begin(struct frames *f, bool returned, amqp_bytes_t exchange, amqp_bytes_t routing_key)
{
	f->partial = calloc(1, sizeof(*f->partial));
	if (!f->partial)
		return -ENOMEM;
	f->returned = returned;
	f->has_header = false;
	f->expected = 0;
	f->received = 0;
	f->partial->received_ns = clock_monotonic_ns();
	f->partial->received_unix_ms = clock_unix_ms();
	properties_copy_text(f->partial->exchange, sizeof(f->partial->exchange), exchange);
	properties_copy_text(f->partial->routing_key, sizeof(f->partial->routing_key), routing_key);
	return 0;
}

static int begin_delivery(struct frames *f, const amqp_basic_deliver_t *deliver)
{
	int consumer = frames_parse_tag(deliver->consumer_tag);

	if (consumer < 0)
		return -EPROTO;
	int r = begin(f, false, deliver->exchange, deliver->routing_key);
	if (r == 0) {
		f->partial->redelivered = deliver->redelivered;
		f->partial->tag = (struct amqp_tag){
		    .generation = f->generation,
		    .delivery = deliver->delivery_tag,
		    .consumer = (unsigned)consumer,
		};
	}
	return r;
}

static int begin_got(struct frames *f, const amqp_basic_get_ok_t *got)
{
	int r = begin(f, false, got->exchange, got->routing_key);

	if (r == 0) {
		f->partial->redelivered = got->redelivered;
		f->partial->tag = (struct amqp_tag){.generation = f->generation, .delivery = got->delivery_tag};
	}
	return r;
}

static int handle_method(struct frames *f, const amqp_method_t *method)
{
	const amqp_basic_return_t *returned = method->decoded;

	switch (method->id) {
	case AMQP_BASIC_DELIVER_METHOD:
		return f->partial ? -EPROTO : begin_delivery(f, method->decoded);
	case AMQP_BASIC_GET_OK_METHOD:
		return f->partial ? -EPROTO : begin_got(f, method->decoded);
	case AMQP_BASIC_RETURN_METHOD:
		return f->partial ? -EPROTO : begin(f, true, returned->exchange, returned->routing_key);
	default:
		return f->ops->on_method(f->arg, method);
	}
}

/* Hands the message on once its last byte is there. */
static int finish_if_whole(struct frames *f)
{
	struct amqp_delivery *whole = f->partial;

	if (f->received < f->expected)
		return 0;
	f->partial = NULL;
	if (!f->returned)
		return f->ops->on_delivery(f->arg, whole);
	f->ops->on_return(f->arg, whole);
	amqp_delivery_free(whole);
	return 0;
}

static int handle_header(struct frames *f, const amqp_frame_t *frame)
{
	uint64_t size = frame->payload.properties.body_size;

	if (!f->partial || f->has_header || frame->payload.properties.class_id != AMQP_BASIC_CLASS)
		return -EPROTO;
	f->has_header = true;
	f->expected = size;
	properties_to_envelope(&f->partial->envelope, frame->payload.properties.decoded);
	f->partial->too_large = size > AMQP_MAX_DELIVERY_BYTES;
	if (size > 0 && !f->partial->too_large && !f->returned) {
		f->partial->body = malloc(size);
		if (!f->partial->body)
			return -ENOMEM;
	}
	return finish_if_whole(f);
}

static int handle_body(struct frames *f, amqp_bytes_t piece)
{
	if (!f->partial || !f->has_header || piece.len > f->expected - f->received)
		return -EPROTO;
	if (f->partial->body) {
		memcpy(f->partial->body + f->received, piece.bytes, piece.len);
		f->partial->body_size += piece.len;
	}
	f->received += piece.len;
	return finish_if_whole(f);
}

int frames_handle(struct frames *f, const amqp_frame_t *frame)
{
	switch (frame->frame_type) {
	case AMQP_FRAME_METHOD:
		return handle_method(f, &frame->payload.method);
	case AMQP_FRAME_HEADER:
		return handle_header(f, frame);
	case AMQP_FRAME_BODY:
		return handle_body(f, frame->payload.body_fragment);
	default:
		return -EPROTO;
	}
}
