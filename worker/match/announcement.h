#ifndef MATCH_ANNOUNCEMENT_H
#define MATCH_ANNOUNCEMENT_H

#include "amqp/link.h"
#include "job/control.h"
#include "meters.h"

/**
 * Publishes a control message to the fleet, without waiting for what becomes of it: whoever misses it finds out by
 * other means. One that cannot even be handed over is counted. Any thread.
 */
void announcement_send(struct amqp_link *publisher, const struct control *control, struct meters *meters);

#endif
