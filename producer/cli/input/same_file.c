#include "cli/input/same_file.h"

#include <sys/stat.h>

static bool is_same(const char *path, const struct stat *input)
{
	struct stat output;

	return S_ISREG(input->st_mode) && stat(path, &output) == 0 && input->st_dev == output.st_dev &&
	       input->st_ino == output.st_ino;
}

bool same_file_as_open(const char *path, int fd)
{
	struct stat input;

	return fstat(fd, &input) == 0 && is_same(path, &input);
}

bool same_file_as(const char *path, const char *input)
{
	struct stat about;

	return stat(input, &about) == 0 && is_same(path, &about);
}
