#ifndef UNIT_CLI_TEXT_FILE_H
#define UNIT_CLI_TEXT_FILE_H

#include <stddef.h>

/** An anonymous file that holds `size` bytes and is read from its start. Close it. */
int text_file_bytes(const void *bytes, size_t size);

/** The same for a string. */
int text_file(const char *text);

/** The whole content of an open file as a string; free it. */
char *text_file_content(int fd);

#endif
