#ifndef CLI_CONTROL_MESSAGE_H
#define CLI_CONTROL_MESSAGE_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "job/control.h"

/**
 * Tells the whole fleet so many things, over a connection of its own called `name`. 0 once the broker has them all, or
 * a negative errno with `err`. Blocking, bounded.
 */
int control_message_send(const struct config *config, const char *name, const struct control *controls, size_t count,
			 struct error *err) must_check;

#endif
