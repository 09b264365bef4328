#include "cli/image_file.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <strings.h>

static bool is_url(const char *name)
{
	return strncasecmp(name, "https://", 8) == 0 || strncasecmp(name, "http://", 7) == 0;
}

int image_file_read(struct job_image *image, struct buffer *bytes, const char *base_dir, const char *name,
		    size_t max_bytes, struct error *err)
{
	char path[PATH_MAX];
	struct error fault = {0};

	if (is_url(name)) {
		*image = (struct job_image){.url = name};
		return 0;
	}
	bool relative = name[0] != '/' && base_dir[0];
	int length = snprintf(path, sizeof(path), "%s%s%s", relative ? base_dir : "", relative ? "/" : "", name);
	if (length < 0 || (size_t)length >= sizeof(path))
		return error_set(err, ERROR_INVALID_JOB, "the path of an image is too long");
	buffer_clear(bytes);
	int r = buffer_read_file(bytes, path, max_bytes, &fault);
	if (r < 0)
		return error_set(err, r == -EFBIG ? ERROR_IMAGE_TOO_LARGE : ERROR_INVALID_JOB, "%s", fault.text);
	if (bytes->size == 0)
		return error_set(err, ERROR_INVALID_JOB, "%s: the file is empty", path);
	*image = (struct job_image){.data = bytes->data, .size = bytes->size};
	return 0;
}
