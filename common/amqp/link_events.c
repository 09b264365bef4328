/* What the broker says, and what is said to it: the ends that frames, publisher and settler have in common. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "amqp/link_private.h"
#include "amqp/properties.h"
#include "base/clock.h"
#include "obs/log.h"

/* --- from the broker --- */

static int on_delivery(void *arg, struct amqp_delivery *delivery)
{
	struct amqp_link *link = arg;
	int r = delivery->tag.consumer < link->consumer_count ? 0 : -EPROTO;

	if (r == 0)
		r = settler_delivered(&link->settler, delivery->tag.delivery);
	if (r < 0) {
		amqp_delivery_free(delivery);
		return r;
	}
	const struct consumer *consumer = &link->consumers[delivery->tag.consumer];
	link_meters_count(link->meters.delivered);
	consumer->on_delivery(consumer->arg, delivery);
	return 0;
}

static void on_return(void *arg, const struct amqp_delivery *returned)
{
	struct amqp_link *link = arg;

	publisher_returned(&link->publisher, returned);
}

/* Reads the name in "… exchange 'NAME' in vhost …"; false when there is none. */
static bool read_exchange(const char *text, char out[ENVELOPE_SHORT_SIZE])
{
	static const char before[] = "exchange '";
	const char *start = strstr(text, before);
	const char *end = start ? strchr(start + strlen(before), '\'') : NULL;

	if (!end)
		return false;
	properties_copy_text(
	    out, ENVELOPE_SHORT_SIZE,
	    (amqp_bytes_t){(size_t)(end - start) - strlen(before), (void *)(uintptr_t)(start + strlen(before))});
	/* What the broker calls the default exchange. */
	if (strcmp(out, "amq.default") == 0)
		out[0] = '\0';
	return true;
}

/* Reads the number in "message size … is larger than configured max size NUMBER"; false when there is none. */
static bool read_max_size(const char *text, size_t *out)
{
	static const char before[] = "configured max size ";
	const char *start = strstr(text, before);

	return start && sscanf(start + strlen(before), "%zu", out) == 1;
}

/* The broker closed the channel over something published, and says of it no more than this. */
static void refuse_published(struct publisher *publisher, const char *text)
{
	char exchange[ENVELOPE_SHORT_SIZE];
	size_t max_size;

	if (read_exchange(text, exchange))
		publisher_refused(publisher, exchange);
	else if (read_max_size(text, &max_size))
		publisher_refused_above(publisher, max_size);
}

static int on_close(struct amqp_link *link, const amqp_method_t *method)
{
	struct connection_refusal refusal;

	connection_read_refusal(method, &refusal);
	error_set(&link->failure, ERROR_CONNECTION, "the broker closed the %s: %d %s",
		  method->id == AMQP_CHANNEL_CLOSE_METHOD ? "channel" : "connection", refusal.code, refusal.text);
	if (refusal.publish)
		refuse_published(&link->publisher, refusal.text);
	return -ECONNRESET;
}

static void set_blocked(struct amqp_link *link, bool blocked)
{
	pthread_mutex_lock(&link->lock);
	link->blocked = blocked;
	pthread_mutex_unlock(&link->lock);
}

static void on_blocked(struct amqp_link *link, const amqp_connection_blocked_t *blocked)
{
	char reason[ENVELOPE_SHORT_SIZE];

	properties_copy_text(reason, sizeof(reason), blocked->reason);
	log_warning(NULL, "the broker takes no messages", log_string("link", link->name), log_string("reason", reason));
	set_blocked(link, true);
}

/* Hands an answer to the consumer it is for. */
static void on_consumer_answer(struct amqp_link *link, const amqp_method_t *method)
{
	const amqp_basic_consume_ok_t *started = method->decoded;
	const amqp_basic_cancel_ok_t *stopped = method->decoded;
	const amqp_basic_cancel_t *cancelled = method->decoded;
	int64_t now = clock_monotonic_ms();
	bool found = false;

	for (unsigned i = 0; !found && i < link->consumer_count; i++) {
		struct consumer *consumer = &link->consumers[i];
		if (method->id == AMQP_BASIC_CONSUME_OK_METHOD) {
			found = consumer_on_started(consumer, started->consumer_tag, now);
		} else if (method->id == AMQP_BASIC_CANCEL_OK_METHOD) {
			found = consumer_on_stopped(consumer, stopped->consumer_tag);
		} else {
			found = consumer_on_cancelled(consumer, cancelled->consumer_tag, now);
			if (found)
				log_warning(NULL, "the broker cancelled a consumer", log_string("link", link->name),
					    log_string("queue", consumer->queue));
		}
	}
}

static int on_method(void *arg, const amqp_method_t *method)
{
	struct amqp_link *link = arg;
	const amqp_basic_ack_t *ack = method->decoded;
	const amqp_basic_nack_t *nack = method->decoded;

	switch (method->id) {
	case AMQP_BASIC_ACK_METHOD:
		publisher_settle(&link->publisher, ack->delivery_tag, ack->multiple, AMQP_CONFIRMED);
		break;
	case AMQP_BASIC_NACK_METHOD:
		publisher_settle(&link->publisher, nack->delivery_tag, nack->multiple, AMQP_NACKED);
		break;
	case AMQP_BASIC_CONSUME_OK_METHOD:
	case AMQP_BASIC_CANCEL_OK_METHOD:
	case AMQP_BASIC_CANCEL_METHOD:
		on_consumer_answer(link, method);
		break;
	case AMQP_CONNECTION_BLOCKED_METHOD:
		on_blocked(link, method->decoded);
		break;
	case AMQP_CONNECTION_UNBLOCKED_METHOD:
		log_info(NULL, "the broker takes messages again", log_string("link", link->name));
		set_blocked(link, false);
		break;
	case AMQP_CHANNEL_CLOSE_METHOD:
	case AMQP_CONNECTION_CLOSE_METHOD:
		return on_close(link, method);
	default: /* qos-ok and the like ask for nothing */
		break;
	}
	return 0;
}

const struct frames_ops link_frames_ops = {
    .on_delivery = on_delivery,
    .on_return = on_return,
    .on_method = on_method,
};

/* --- to the broker --- */

/* Notes why a write failed; what fails once is not tried again on this connection. */
static int check_write(struct amqp_link *link, int status, const char *what)
{
	return connection_check_status(status, what, &link->failure);
}

static int send_message(void *arg, const struct amqp_message *message)
{
	struct amqp_link *link = arg;
	amqp_bytes_t body = {message->body_size, message->body};
	struct properties properties;

	connection_touch(&link->connection);
	properties_from_envelope(&properties, &message->envelope);
	link_meters_count(link->meters.published);
	return check_write(link,
			   amqp_basic_publish(link->connection.state, CONNECTION_CHANNEL,
					      amqp_cstring_bytes(message->exchange),
					      amqp_cstring_bytes(message->routing_key), message->mandatory, 0,
					      &properties.basic, body),
			   "publish");
}

static void on_finished(void *arg, enum amqp_outcome outcome)
{
	struct amqp_link *link = arg;
	struct metric *const series[] = {
	    [AMQP_CONFIRMED] = link->meters.confirmed,
	    [AMQP_RETURNED] = link->meters.returned,
	    [AMQP_NACKED] = link->meters.nacked,
	    [AMQP_ABANDONED] = NULL,
	};

	link_meters_count(series[outcome]);
	pthread_mutex_lock(&link->lock);
	link->unconfirmed--;
	/* Whoever waits does so for the last one, or for the first room. */
	if (link->unconfirmed == 0 || link->unconfirmed + 1 == link->capacity)
		pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
}

const struct publisher_ops link_publisher_ops = {.send = send_message, .finished = on_finished};

static int send_ack(void *arg, uint64_t delivery, bool multiple)
{
	struct amqp_link *link = arg;

	return check_write(link, amqp_basic_ack(link->connection.state, CONNECTION_CHANNEL, delivery, multiple), "ack");
}

static int send_nack(void *arg, uint64_t delivery, bool requeue)
{
	struct amqp_link *link = arg;

	return check_write(link, amqp_basic_nack(link->connection.state, CONNECTION_CHANNEL, delivery, 0, requeue),
			   "nack");
}

const struct settler_ops link_settler_ops = {.ack = send_ack, .nack = send_nack};
