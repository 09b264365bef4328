#ifndef AMQP_CONTROL_MESSAGE_H
#define AMQP_CONTROL_MESSAGE_H

#include "amqp/message.h"
#include "base/compiler.h"
#include "job/control.h"

/** What the whole fleet is told, as a message to the control exchange. NULL when memory is out. */
struct amqp_message *control_message_new(const struct control *control) must_check;

#endif
