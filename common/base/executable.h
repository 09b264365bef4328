#ifndef BASE_EXECUTABLE_H
#define BASE_EXECUTABLE_H

#include <stddef.h>

/*
 * The file that this process runs. Any thread.
 */

/* What to execute to run it again, even when another file has its name by now. A string that lasts. */
const char *executable_again(void);

/* The folder that it lies in, without a slash at its end, into `folder` of `size` bytes; 0 or a negative errno. */
int executable_folder(char *folder, size_t size);

#endif
