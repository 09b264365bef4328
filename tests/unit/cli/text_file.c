#include "text_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int text_file_bytes(const void *bytes, size_t size)
{
	int fd = memfd_create("text_file", MFD_CLOEXEC);

	assert(fd >= 0);
	assert(write(fd, bytes, size) == (ssize_t)size);
	assert(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

int text_file(const char *text)
{
	return text_file_bytes(text, strlen(text));
}

char *text_file_content(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *content = calloc(1, (size_t)size + 1);

	assert(content && pread(fd, content, (size_t)size, 0) == (ssize_t)size);
	return content;
}
