#include "base/wakeup.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wakeup_open(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void wakeup_signal(int fd)
{
	int saved = errno;
	uint64_t one = 1;
	/* EAGAIN means the counter is full, so the descriptor is readable anyway. */
	ssize_t ignored = write(fd, &one, sizeof(one));

	(void)ignored;
	errno = saved;
}

void wakeup_clear(int fd)
{
	uint64_t count;
	ssize_t ignored = read(fd, &count, sizeof(count));

	(void)ignored;
}
