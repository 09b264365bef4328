#include "base/hangup.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_bool came;

static void on_signal(int number)
{
	(void)number;
	atomic_store(&came, true);
}

int hangup_install(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	return sigaction(SIGHUP, &action, NULL) < 0 ? -errno : 0;
}

void hangup_ignore(void)
{
	signal(SIGHUP, SIG_IGN);
}

bool hangup_take(void)
{
	return atomic_exchange(&came, false);
}
