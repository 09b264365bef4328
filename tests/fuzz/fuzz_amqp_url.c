/* Broker URLs, and the broker's own words about a queue that differs. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/topology_declare.h"
#include "amqp/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(const char *text)
{
	struct amqp_url url;
	struct error err = {0};

	if (amqp_url_parse(&url, text, &err) < 0) {
		assert(err.code == ERROR_CONFIG);
		return;
	}
	assert(url.count >= 1 && url.count <= AMQP_MAX_HOSTS);
	for (unsigned i = 0; i < url.count; i++) {
		char formatted[600];
		amqp_endpoint_format(&url.hosts[i], formatted, sizeof(formatted));
		assert(url.hosts[i].host[0] && url.hosts[i].port > 0 && url.hosts[i].vhost[0]);
		assert(strncmp(formatted, "amqp", 4) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct topology_difference difference;
	char *text = malloc(size + 1);

	assert(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_url(text);
	if (topology_read_difference(text, &difference) == 0)
		assert(strlen(difference.key) < sizeof(difference.key));
	free(text);
	return 0;
}
