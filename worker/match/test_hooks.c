#include "test_hooks.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void test_hooks_obey(const char *reference)
{
	char crash[64];

	for (int number = 1; number < NSIG; number++) {
		const char *name = sigabbrev_np(number);

		snprintf(crash, sizeof(crash), "crash:SIG%s", name ? name : "");
		/* Compute threads block every signal; the main thread gets it. */
		if (name && strcmp(reference, crash) == 0)
			kill(getpid(), number);
	}
	while (strncmp(reference, "crash:", strlen("crash:")) == 0)
		pause();
}
