#ifndef CLI_FONT_H
#define CLI_FONT_H

#include <stdint.h>

#define FONT_WIDTH 5
#define FONT_HEIGHT 7

/**
 * The shape of a character: FONT_HEIGHT rows from the top, in each the lowest FONT_WIDTH bits, the highest of them on
 * the left. Small letters are drawn as capitals, what has no shape as a question mark. Static storage.
 */
const uint8_t *font_rows(char c);

#endif
