#include "cli/commands/confirm.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"

/* The signals' handler lets reading go on: it would wait for the answer all the same. */
static bool wait_for_answer(void)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = stop_fd(), .events = POLLIN}};

	while (!stop_requested())
		if (poll(fds, array_size(fds), -1) > 0 && fds[0].revents)
			return true;
	fputc('\n', stderr);
	return false;
}

bool confirm(const char *fmt, ...)
{
	char line[16];
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs(" [y/N] ", stderr);
	return wait_for_answer() && fgets(line, sizeof(line), stdin) &&
	       (strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0);
}
