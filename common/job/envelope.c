#include "job/envelope.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"

static const char *const content_types[] = {
    [ENCODING_JSON] = "application/json",
    [ENCODING_MSGPACK] = "application/msgpack",
};

const char *encoding_content_type(enum encoding encoding)
{
	return content_types[encoding];
}

int encoding_from_content_type(const char *content_type, enum encoding *encoding)
{
	size_t length = strcspn(content_type, "; \t");

	for (size_t i = 0; i < array_size(content_types); i++) {
		if (strlen(content_types[i]) == length && strncasecmp(content_type, content_types[i], length) == 0) {
			*encoding = (enum encoding)i;
			return 0;
		}
	}
	return -EINVAL;
}
