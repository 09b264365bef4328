#include "base/thread.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

int thread_start(pthread_t *id, void *(*main)(void *), void *arg)
{
	sigset_t all;
	sigset_t before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(id, NULL, main, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

void thread_set_name(const char *fmt, ...)
{
	char name[16];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	pthread_setname_np(pthread_self(), name);
}

unsigned thread_processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? (unsigned)count : 1;
}
