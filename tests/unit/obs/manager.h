#ifndef TESTS_MANAGER_H
#define TESTS_MANAGER_H

#include <stdbool.h>

/** A service manager: the socket of $NOTIFY_SOCKET, which is set to it, by a path or by a name that is in no folder. */
struct manager {
	char folder[64];
	int fd;
};

void manager_open(struct manager *manager, bool is_abstract);
void manager_close(struct manager *manager);

/** The next thing that is said, within seconds; the test fails when nothing is. Valid until the next call. */
const char *manager_hear(struct manager *manager);

/** True if nothing has been said that was not heard. */
bool manager_is_quiet(struct manager *manager);

#endif
