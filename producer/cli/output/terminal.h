#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

/** What may be written to one of the standard streams. */
struct terminal {
	bool interactive; /**< a person watches it */
	bool colour;      /**< and wants colour: NO_COLOR is unset, TERM is not "dumb" */
};

/** Looks at descriptor `fd`. */
struct terminal terminal_of(int fd);

/** Columns of the terminal at `fd`; 80 when it does not say. */
unsigned terminal_width(int fd);

/** The sequences for bold green, bold red, dim and back to normal, or "" without colour. Static storage. */
const char *terminal_good(struct terminal t);
const char *terminal_bad(struct terminal t);
const char *terminal_dim(struct terminal t);
const char *terminal_plain(struct terminal t);

#endif
