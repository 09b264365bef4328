#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/**
 * A terminal that is drawn on again and again: its other screen, without a cursor, keys read one by one. What it was
 * before comes back with screen_close(). One at a time, for the main thread.
 */
struct screen;

/** Takes over the terminal of standard input and output. NULL when they are none, or memory is out. */
struct screen *screen_open(void) must_check;

/**
 * Shows `text`: its lines from the top, cut at the edges of the terminal. Colours are understood, other control
 * sequences must not be in it.
 */
void screen_draw(struct screen *screen, const char *text);

enum screen_event {
	SCREEN_TIME, /**< the time is over, or the terminal has another size: draw again */
	SCREEN_QUIT, /**< q, or a signal */
};

/** Waits. */
enum screen_event screen_wait(struct screen *screen, int64_t ms);

/** NULL is fine. */
void screen_close(struct screen *screen);

/** Bytes of the line at `text` (up to its end or a line feed) that fill at most `width` columns. */
size_t screen_cut(const char *text, unsigned width);

#endif
