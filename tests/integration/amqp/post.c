#include "post.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define PATIENCE_MS 90000

void post_init(struct post *p)
{
	pthread_condattr_t attributes;

	memset(p, 0, sizeof(*p));
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void post_finish(struct post *p)
{
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
}

static void on_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	struct post *p = arg;

	assert(strlen(message->envelope.message_id) > 0);
	pthread_mutex_lock(&p->lock);
	p->outcomes[outcome]++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

void post_send(struct post *p, struct amqp_link *link, const char *exchange, const char *key, unsigned number,
	       size_t size, bool mandatory)
{
	struct buffer body = {0};
	int r = buffer_reserve(&body, size + 1);

	assert(r == 0 && number < POST_MAX);
	memset(body.data, 'x', size);
	body.size = size;
	struct amqp_message *message = amqp_message_new(exchange, key, &body);
	assert(message);
	message->mandatory = mandatory;
	snprintf(message->envelope.message_id, sizeof(message->envelope.message_id), "%u", number);
	snprintf(message->envelope.type, sizeof(message->envelope.type), "%s", ENVELOPE_TYPE_JOB);
	r = amqp_link_wait_room(link, PATIENCE_MS);
	assert(r == 0);
	r = amqp_link_publish(link, message, on_outcome, p);
	assert(r == 0);
}

void post_on_delivery(void *arg, struct amqp_delivery *delivery)
{
	struct post *p = arg;
	unsigned number = (unsigned)strtoul(delivery->envelope.message_id, NULL, 10);

	pthread_mutex_lock(&p->lock);
	p->deliveries++;
	if (number < POST_MAX && !p->seen[number]) {
		p->seen[number] = true;
		p->distinct++;
	}
	if (delivery->redelivered)
		p->redelivered++;
	p->last_tag = delivery->tag;
	p->last_body_size = delivery->body_size;
	p->last_too_large = delivery->too_large;
	if (p->ack)
		amqp_link_settle(p->receiver, delivery->tag, AMQP_ACK);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	amqp_delivery_free(delivery);
}

void post_on_lost(void *arg, uint64_t generation)
{
	struct post *p = arg;

	pthread_mutex_lock(&p->lock);
	p->losses++;
	p->lost_generation = generation;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

void post_on_fatal(void *arg, const struct error *err)
{
	struct post *p = arg;

	pthread_mutex_lock(&p->lock);
	p->fatal++;
	p->fatal_error = *err;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

bool post_wait(struct post *p, const unsigned *counter, unsigned value)
{
	struct timespec until = clock_timespec_in_ms(PATIENCE_MS);
	int r = 0;

	pthread_mutex_lock(&p->lock);
	while (*counter < value && r == 0)
		r = pthread_cond_timedwait(&p->changed, &p->lock, &until);
	bool reached = *counter >= value;
	pthread_mutex_unlock(&p->lock);
	return reached;
}

unsigned post_read(struct post *p, const unsigned *counter)
{
	pthread_mutex_lock(&p->lock);
	unsigned value = *counter;
	pthread_mutex_unlock(&p->lock);
	return value;
}

struct amqp_link *post_open(struct post *p, const struct amqp_url *url, const char *name, unsigned topology,
			    const struct amqp_consumer_settings *consumer)
{
	struct amqp_link_settings settings = {
	    .url = url,
	    .name = name,
	    .topology = topology,
	    .heartbeat_s = 5,
	    .reconnect_max_ms = 1000,
	    .on_lost = post_on_lost,
	    .on_fatal = post_on_fatal,
	    .arg = p,
	};
	struct amqp_link *link = NULL;
	int r = amqp_link_new(&link, &settings, NULL);

	assert(r == 0);
	if (consumer) {
		r = amqp_link_add_consumer(link, consumer);
		assert(r == 0);
		p->receiver = link;
	}
	r = amqp_link_start(link, NULL);
	assert(r == 0);
	return link;
}

struct amqp_link *post_open_ready(struct post *p, const struct amqp_url *url, const char *name, unsigned topology,
				  const struct amqp_consumer_settings *consumer)
{
	struct amqp_link *link = post_open(p, url, name, topology, consumer);
	struct error err;

	if (amqp_link_wait_ready(link, PATIENCE_MS, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return link;
}

bool post_wait_status(struct amqp_link *link, bool (*said)(const struct amqp_link_status *status))
{
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	struct amqp_link_status status;

	amqp_link_status(link, &status);
	while (!said(&status) && clock_monotonic_ms() < until_ms) {
		nanosleep(&pause, NULL);
		amqp_link_status(link, &status);
	}
	return said(&status);
}
