#ifndef AMQP_SETTINGS_H
#define AMQP_SETTINGS_H

#include "amqp/link.h"
#include "amqp/url.h"
#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"

/**
 * What the amqp.* options say: the brokers into `url`, and heartbeat, reconnect pause, publishing
 * window and `url` itself into `link` (its other fields are left alone). `err` (config) when
 * amqp.url cannot be read.
 */
int amqp_settings_from_config(struct amqp_url *url, struct amqp_link_settings *link, const struct config *config,
			      struct error *err) must_check;

/**
 * Makes a link with what the amqp.* options say and the rest of `settings`, which is left alone. Errors are those of
 * the function above and of amqp_link_new().
 */
int amqp_link_new_from_config(struct amqp_link **out, const struct amqp_link_settings *settings,
			      const struct config *config, struct error *err) must_check;

#endif
