#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t limit_of(const struct buffer *b)
{
	return b->limit > 0 && b->limit < SIZE_MAX / 2 ? b->limit : SIZE_MAX / 2;
}

int buffer_reserve(struct buffer *b, size_t extra)
{
	size_t limit = limit_of(b);

	if (b->size > limit || extra > limit - b->size)
		return -EMSGSIZE;
	size_t need = b->size + extra + 1;
	if (need <= b->capacity)
		return 0;
	size_t capacity = b->capacity ? b->capacity : 256;
	while (capacity < need)
		capacity *= 2;
	if (capacity > limit + 1)
		capacity = limit + 1;
	uint8_t *data = realloc(b->data, capacity);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->capacity = capacity;
	return 0;
}

int buffer_append(struct buffer *b, const void *bytes, size_t size)
{
	int r = buffer_reserve(b, size);

	if (r < 0)
		return r;
	if (size > 0)
		memcpy(b->data + b->size, bytes, size);
	b->size += size;
	b->data[b->size] = 0;
	return 0;
}

int buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list args;
	va_list again;

	va_start(args, fmt);
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	int r = length < 0 ? -EINVAL : buffer_reserve(b, (size_t)length);
	if (r == 0) {
		vsnprintf((char *)b->data + b->size, (size_t)length + 1, fmt, again);
		b->size += (size_t)length;
	}
	va_end(again);
	return r;
}

void buffer_clear(struct buffer *b)
{
	b->size = 0;
	if (b->data)
		b->data[0] = 0;
}

uint8_t *buffer_steal(struct buffer *b)
{
	uint8_t *data = b->data;

	b->data = NULL;
	b->size = 0;
	b->capacity = 0;
	return data;
}

void buffer_finish(struct buffer *b)
{
	free(buffer_steal(b));
}

static int read_all(struct buffer *b, int fd, size_t size)
{
	while (size > 0) {
		ssize_t got = read(fd, b->data + b->size, size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break; /* the file shrank while we read: what is there is what there is */
		b->size += (size_t)got;
		size -= (size_t)got;
	}
	b->data[b->size] = 0;
	return 0;
}

int buffer_read_fd(struct buffer *b, int fd, const char *path, size_t max, struct error *err)
{
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else if ((uintmax_t)st.st_size > max)
		r = -EFBIG;
	if (r == -EFBIG)
		error_set(err, ERROR_CONFIG, "%s: %jd bytes, at most %zu are read", path, (intmax_t)st.st_size, max);
	else if (r == -EINVAL)
		error_set(err, ERROR_CONFIG, "%s: not a regular file", path);
	else if (r == 0 && (r = buffer_reserve(b, (size_t)st.st_size)) == 0)
		r = read_all(b, fd, (size_t)st.st_size);
	if (r < 0 && r != -EFBIG && r != -EINVAL)
		error_set(err, ERROR_CONFIG, "%s: %s", path, strerror(-r));
	return r;
}

int buffer_read_file(struct buffer *b, const char *path, size_t max, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0) {
		r = -errno;
		error_set(err, ERROR_CONFIG, "%s: %s", path, strerror(-r));
		return r;
	}
	r = buffer_read_fd(b, fd, path, max, err);
	close(fd);
	return r;
}
