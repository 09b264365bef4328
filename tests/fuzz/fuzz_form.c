/* Forms: the first line is the content type, the rest the body. Parts lie in the body, one behind the other. */

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gateway/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = memchr(data, '\n', size);
	char boundary[FORM_BOUNDARY_SIZE];
	char content_type[256];
	struct form form;
	struct error err = {0};

	if (!line)
		return 0;
	snprintf(content_type, sizeof(content_type), "%.*s", (int)(line - data), (const char *)data);
	if (!form_is_wanted(content_type, boundary) || boundary[0] == '\0')
		return 0;
	const uint8_t *at = line + 1;
	if (form_parse(&form, boundary, at, size - (size_t)(at - data), &err) < 0) {
		assert(err.code == ERROR_INVALID_JOB && err.text[0] != '\0');
		return 0;
	}
	assert(form.count <= FORM_MAX_PARTS);
	for (unsigned i = 0; i < form.count; i++) {
		assert(form.parts[i].data >= at && form.parts[i].name[0] != '\0');
		at = form.parts[i].data + form.parts[i].size;
		assert(at <= data + size);
	}
	return 0;
}
