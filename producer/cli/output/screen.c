#include "cli/output/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/utf8.h"

#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[0m\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[0m\033[K"
#define CLEAR_REST "\033[J"
/* How long a terminal that was made larger or smaller may look odd. */
#define LOOK_MS 100

struct screen {
	struct termios before;
	struct sigaction hangup; /* what these signals did before */
	struct sigaction quit;
	struct winsize size;
};

static struct winsize read_size(void)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	return size;
}

/* Everything that would end or stop the program without asking it becomes a key, but for ^C. */
static int take_keys(const struct termios *before)
{
	struct termios raw = *before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	raw.c_cc[VQUIT] = _POSIX_VDISABLE;
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
}

/* Signals that would end the program at once end it like SIGTERM, with the terminal as it was. */
static void tame_signals(struct screen *screen)
{
	struct sigaction stop;

	sigaction(SIGTERM, NULL, &stop);
	sigaction(SIGHUP, &stop, &screen->hangup);
	sigaction(SIGQUIT, &stop, &screen->quit);
}

struct screen *screen_open(void)
{
	struct screen *screen;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return NULL;
	screen = calloc(1, sizeof(*screen));
	if (!screen)
		return NULL;
	screen->size = read_size();
	if (tcgetattr(STDIN_FILENO, &screen->before) < 0 || take_keys(&screen->before) < 0) {
		free(screen);
		return NULL;
	}
	tame_signals(screen);
	fputs(ENTER, stdout);
	fflush(stdout);
	return screen;
}

/* Bytes of the sequence that sets a colour at `text`, 0 if none is there. */
static size_t colour_length(const char *text)
{
	if (text[0] != '\033' || text[1] != '[')
		return 0;
	size_t length = 2 + strspn(text + 2, "0123456789;");
	return text[length] == 'm' ? length + 1 : 0;
}

size_t screen_cut(const char *text, unsigned width)
{
	size_t end = strcspn(text, "\n");
	size_t used = 0;

	for (unsigned column = 0; used < end;) {
		size_t length = colour_length(text + used);
		if (length == 0) {
			if (column++ == width)
				break;
			length = utf8_decode(text + used, end - used, NULL);
		}
		used += length ? length : 1;
	}
	return used;
}

void screen_draw(struct screen *screen, const char *text)
{
	screen->size = read_size();
	fputs(HOME, stdout);
	for (unsigned row = 0; row < screen->size.ws_row && *text; row++) {
		size_t end = strcspn(text, "\n");
		fwrite(text, 1, screen_cut(text, screen->size.ws_col), stdout);
		text += text[end] ? end + 1 : end;
		fputs(CLEAR_LINE, stdout);
		if (row + 1 < screen->size.ws_row && *text)
			fputs("\r\n", stdout);
	}
	fputs(CLEAR_REST, stdout);
	fflush(stdout);
}

/* True for q; a terminal that is gone quits too. */
static bool read_keys(void)
{
	char keys[64];
	ssize_t got = read(STDIN_FILENO, keys, sizeof(keys));

	if (got <= 0)
		return got == 0 || (errno != EINTR && errno != EAGAIN);
	return memchr(keys, 'q', (size_t)got) || memchr(keys, 'Q', (size_t)got);
}

enum screen_event screen_wait(struct screen *screen, int64_t ms)
{
	int64_t until = clock_monotonic_ms() + ms;

	for (int64_t left = ms; left > 0; left = until - clock_monotonic_ms()) {
		struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = stop_fd(), .events = POLLIN}};
		int ready = poll(fds, 2, (int)(left < LOOK_MS ? left : LOOK_MS));
		struct winsize size = read_size();

		if (stop_requested() || (ready > 0 && (fds[0].revents & (POLLHUP | POLLERR))) ||
		    (ready > 0 && fds[0].revents && read_keys()))
			return SCREEN_QUIT;
		if (size.ws_col != screen->size.ws_col || size.ws_row != screen->size.ws_row)
			return SCREEN_TIME;
	}
	return SCREEN_TIME;
}

void screen_close(struct screen *screen)
{
	if (!screen)
		return;
	fputs(LEAVE, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen->before);
	sigaction(SIGHUP, &screen->hangup, NULL);
	sigaction(SIGQUIT, &screen->quit, NULL);
	free(screen);
}
