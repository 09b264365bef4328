#ifndef UNIT_TRACKER_SAMPLES_H
#define UNIT_TRACKER_SAMPLES_H

#include "amqp/message.h"

/** A message as it comes in: of that type, with that JSON body. */
struct amqp_delivery *sample_delivery(const char *type, const char *body);

/** An event: the task of that number is running. */
struct amqp_delivery *sample_event(unsigned number);

/** The report of a delivery, of the task of that number. */
struct amqp_delivery *sample_report(unsigned number);

void sample_task_id(unsigned number, char out[UUID_SIZE]);

#endif
