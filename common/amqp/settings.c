#include "amqp/settings.h"

#include <stdio.h>
#include <stdlib.h>

int amqp_settings_from_config(struct amqp_url *url, struct amqp_link_settings *link, const struct config *config,
			      struct error *err)
{
	int r = amqp_url_parse(url, config_string(config, OPTION_AMQP_URL), err);

	if (r < 0) {
		error_prefix(err, "amqp.url");
		return r;
	}
	snprintf(url->ca_file, sizeof(url->ca_file), "%s", config_string(config, OPTION_AMQP_CA_FILE));
	snprintf(url->cert_file, sizeof(url->cert_file), "%s", config_string(config, OPTION_AMQP_CERT_FILE));
	snprintf(url->key_file, sizeof(url->key_file), "%s", config_string(config, OPTION_AMQP_KEY_FILE));
	link->url = url;
	link->heartbeat_s = (int)config_integer(config, OPTION_AMQP_HEARTBEAT);
	link->reconnect_max_ms = config_integer(config, OPTION_AMQP_RECONNECT_MAX);
	link->publish_window = (unsigned)config_integer(config, OPTION_AMQP_PUBLISH_WINDOW);
	return 0;
}

int amqp_link_new_from_config(struct amqp_link **out, const struct amqp_link_settings *settings,
			      const struct config *config, struct error *err)
{
	struct amqp_link_settings all = *settings;
	struct amqp_url *url = calloc(1, sizeof(*url));

	if (!url)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	int r = amqp_settings_from_config(url, &all, config, err);
	if (r == 0)
		r = amqp_link_new(out, &all, err);
	free(url);
	return r;
}
