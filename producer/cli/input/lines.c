#include "cli/input/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lines {
	int fd;
	int wake_fd;
	bool ended;
	bool torn;
	uint64_t number;
	uint64_t offset;
	size_t start; /* of what was not handed out yet */
	size_t fill;
	size_t max;
	size_t room;  /* the longest line, "\r", and "\n" or the terminating zero */
	char bytes[]; /* of `room` */
};

struct lines *lines_new_bounded(int fd, int wake_fd, size_t max)
{
	struct lines *lines = calloc(1, sizeof(*lines) + max + 2);

	if (!lines)
		return NULL;
	lines->fd = fd;
	lines->wake_fd = wake_fd;
	lines->max = max;
	lines->room = max + 2;
	return lines;
}

struct lines *lines_new(int fd, int wake_fd)
{
	return lines_new_bounded(fd, wake_fd, LINES_MAX);
}

void lines_free(struct lines *lines)
{
	free(lines);
}

/* Reads some more behind what is there. LINES_LINE when bytes came. */
static enum lines_status read_more(struct lines *lines)
{
	struct pollfd wait[2] = {{.fd = lines->fd, .events = POLLIN}, {.fd = lines->wake_fd, .events = POLLIN}};

	if (lines->start > 0) {
		memmove(lines->bytes, lines->bytes + lines->start, lines->fill - lines->start);
		lines->fill -= lines->start;
		lines->start = 0;
	}
	for (;;) {
		if (poll(wait, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return LINES_FAILED;
		}
		if (wait[1].revents)
			return LINES_STOPPED;
		ssize_t got = read(lines->fd, lines->bytes + lines->fill, lines->room - lines->fill);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return LINES_FAILED;
		if (got == 0)
			return LINES_END;
		lines->fill += (size_t)got;
		return LINES_LINE;
	}
}

/* Hands out a line of `length` bytes; with its end it has `taken`. */
static enum lines_status take(struct lines *lines, size_t length, size_t taken, char **text, size_t *out_length)
{
	char *line = lines->bytes + lines->start;

	lines->start += taken;
	lines->offset += taken;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (length > lines->max)
		return LINES_TOO_LONG;
	line[length] = '\0';
	*text = line;
	*out_length = length;
	return LINES_LINE;
}

/* Throws away everything up to and with the next newline. */
static enum lines_status skip_line(struct lines *lines)
{
	for (;;) {
		size_t have = lines->fill - lines->start;
		char *newline = memchr(lines->bytes + lines->start, '\n', have);
		size_t gone = newline ? (size_t)(newline - (lines->bytes + lines->start)) + 1 : have;
		lines->start += gone;
		lines->offset += gone;
		if (newline)
			return LINES_TOO_LONG;
		enum lines_status status = read_more(lines);
		if (status == LINES_END) {
			lines->ended = true;
			lines->torn = true;
			return LINES_TOO_LONG;
		}
		if (status != LINES_LINE)
			return status;
	}
}

enum lines_status lines_next(struct lines *lines, char **text, size_t *length)
{
	size_t searched = 0;

	if (lines->ended)
		return LINES_END;
	lines->number++;
	for (;;) {
		size_t have = lines->fill - lines->start;
		char *from = lines->bytes + lines->start;
		char *newline = memchr(from + searched, '\n', have - searched);
		if (newline)
			return take(lines, (size_t)(newline - from), (size_t)(newline - from) + 1, text, length);
		if (have == lines->room)
			return skip_line(lines);
		searched = have;
		enum lines_status status = read_more(lines);
		if (status == LINES_END) {
			lines->ended = true;
			if (have == 0)
				return LINES_END;
			lines->torn = true;
			/* A full buffer was skipped above, so there is room for the zero. */
			return take(lines, have, have, text, length);
		}
		if (status != LINES_LINE)
			return status;
	}
}

uint64_t lines_number(const struct lines *lines)
{
	return lines->number;
}

uint64_t lines_offset(const struct lines *lines)
{
	return lines->offset;
}

bool lines_torn(const struct lines *lines)
{
	return lines->torn;
}
