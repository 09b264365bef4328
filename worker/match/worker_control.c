/* What the fleet tells this worker on the control exchange, and what the worker tells the fleet of people. */
#include <string.h>

#include "announcement.h"
#include "job/control.h"
#include "obs/log.h"
#include "store/central_follower.h"
#include "worker_private.h"

static void cancel(struct worker *worker, const char *task_id)
{
	cancelled_add(worker->cancelled, task_id);
	roster_cancel(worker->roster, task_id);
}

/* What the fleet is told. Whoever misses it finds out by other means. */
static void heed(struct worker *worker, const struct control *control)
{
	switch (control->kind) {
	case CONTROL_PEOPLE_CHANGED:
		if (worker->registry)
			registry_hear(worker->registry, control->version);
		break;
	case CONTROL_PHOTOS_FORGET:
		if (worker->settings.matcher.photos)
			photo_cache_forget(worker->settings.matcher.photos);
		break;
	case CONTROL_TASK_CANCELLED:
		cancel(worker, control->task_id);
		break;
	case CONTROL_SETTINGS:
		central_follower_hear(worker->settings.central);
		break;
	case CONTROL_ROLL_CALL:
		pulse_send(worker->pulse);
		break;
	case CONTROL_PERSON_ERASED:
	case CONTROL_HEARTBEAT:
	case CONTROL_OTHER:
		break;
	}
}

void worker_take_control(void *arg, struct amqp_delivery *delivery)
{
	struct worker *worker = arg;
	struct control control = {.kind = CONTROL_OTHER};
	struct error err = {0};

	if (strcmp(delivery->envelope.type, ENVELOPE_TYPE_CONTROL) == 0 &&
	    control_decode(&control, delivery->body, delivery->body_size, &err) < 0)
		log_warning(NULL, "a control message makes no sense", LOG_ERROR_FIELDS(&err));
	heed(worker, &control);
	amqp_link_settle(worker->jobs, delivery->tag, AMQP_ACK);
	amqp_delivery_free(delivery);
}

void worker_announce_people(void *arg, uint64_t version)
{
	struct worker *worker = arg;
	const struct control control = {.kind = CONTROL_PEOPLE_CHANGED, .version = version};

	announcement_send(worker->replies, &control, &worker->meters);
}
