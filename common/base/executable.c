#include "base/executable.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define SELF "/proc/self/exe"

static int read_path(char *path, size_t size)
{
	ssize_t length = readlink(SELF, path, size);

	if (length < 0)
		return -errno;
	/* As long as the space for it: it may be longer. */
	if ((size_t)length >= size)
		return -ENAMETOOLONG;
	path[length] = '\0';
	return 0;
}

#ifdef FACEFLEET_MEMCHECK
/* Valgrind names the file that it emulates, but would execute its own. */
static char path_behind[PATH_MAX] = SELF;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void look_behind(void)
{
	(void)read_path(path_behind, sizeof(path_behind));
}

const char *executable_again(void)
{
	pthread_once(&once, look_behind);
	return path_behind;
}
#else
const char *executable_again(void)
{
	return SELF;
}
#endif

int executable_folder(char *folder, size_t size)
{
	int r = read_path(folder, size);
	char *slash = r == 0 ? strrchr(folder, '/') : NULL;

	if (slash)
		*slash = '\0';
	return r;
}
