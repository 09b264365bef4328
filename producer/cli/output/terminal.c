#include "cli/output/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct terminal terminal_of(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	struct terminal t = {.interactive = isatty(fd) == 1};

	t.colour = t.interactive && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
	return t;
}

unsigned terminal_width(int fd)
{
	struct winsize size = {0};

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

const char *terminal_good(struct terminal t)
{
	return t.colour ? "\033[1;32m" : "";
}

const char *terminal_bad(struct terminal t)
{
	return t.colour ? "\033[1;31m" : "";
}

const char *terminal_dim(struct terminal t)
{
	return t.colour ? "\033[2m" : "";
}

const char *terminal_plain(struct terminal t)
{
	return t.colour ? "\033[0m" : "";
}
