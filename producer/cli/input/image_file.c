#include "cli/input/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Not to hang in a pipe that has no writer. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK)

static bool is_url(const char *name)
{
	return strncasecmp(name, "https://", 8) == 0 || strncasecmp(name, "http://", 7) == 0;
}

/* `fd` is closed; -1: it could not be opened, errno says why. */
static int read_open(struct job_image *image, struct buffer *bytes, int fd, const char *path, size_t max_bytes,
		     struct error *err)
{
	struct error fault = {0};

	if (fd < 0)
		return error_set(err, ERROR_INVALID_JOB, "%s: %s", path, strerror(errno));
	buffer_clear(bytes);
	int r = buffer_read_fd(bytes, fd, path, max_bytes, &fault);
	close(fd);
	if (r < 0)
		return error_set(err, r == -EFBIG ? ERROR_IMAGE_TOO_LARGE : ERROR_INVALID_JOB, "%s", fault.text);
	if (bytes->size == 0)
		return error_set(err, ERROR_INVALID_JOB, "%s: the file is empty", path);
	*image = (struct job_image){.data = bytes->data, .size = bytes->size};
	return 0;
}

int image_file_read(struct job_image *image, struct buffer *bytes, const char *base_dir, const char *name,
		    size_t max_bytes, struct error *err)
{
	char path[PATH_MAX];

	if (is_url(name)) {
		*image = (struct job_image){.url = name};
		return 0;
	}
	bool relative = name[0] != '/' && base_dir[0];
	int length = snprintf(path, sizeof(path), "%s%s%s", relative ? base_dir : "", relative ? "/" : "", name);
	if (length < 0 || (size_t)length >= sizeof(path))
		return error_set(err, ERROR_INVALID_JOB, "the path of an image is too long");
	int fd = open(path, OPEN_FLAGS);
	return read_open(image, bytes, fd, path, max_bytes, err);
}

int image_file_read_in(struct job_image *image, struct buffer *bytes, int folder_fd, const char *path, size_t max_bytes,
		       struct error *err)
{
	const char *slash = strrchr(path, '/');
	int fd = openat(folder_fd, slash ? slash + 1 : path, OPEN_FLAGS | O_NOFOLLOW);

	return read_open(image, bytes, fd, "the file", max_bytes, err);
}
