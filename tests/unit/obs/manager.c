#include "run.h"

#include "manager.h"

#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 20000

void manager_open(struct manager *manager, bool is_abstract)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[96];

	strcpy(manager->folder, "/tmp/facefleet-manager.XXXXXX");
	assert_non_null(mkdtemp(manager->folder));
	if (is_abstract)
		snprintf(name, sizeof(name), "@%s", manager->folder + 1);
	else
		snprintf(name, sizeof(name), "%s/notify", manager->folder);
	memcpy(address.sun_path, name, strlen(name));
	if (is_abstract)
		address.sun_path[0] = '\0';
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(manager->fd >= 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	assert_int_equal(bind(manager->fd, (struct sockaddr *)&address, size), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

void manager_close(struct manager *manager)
{
	char path[96];

	unsetenv("NOTIFY_SOCKET");
	close(manager->fd);
	snprintf(path, sizeof(path), "%s/notify", manager->folder);
	unlink(path);
	rmdir(manager->folder);
}

const char *manager_hear(struct manager *manager)
{
	static char text[256];
	struct pollfd p = {.fd = manager->fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	ssize_t size = recv(manager->fd, text, sizeof(text) - 1, 0);
	assert_true(size >= 0);
	text[size] = '\0';
	return text;
}

bool manager_is_quiet(struct manager *manager)
{
	struct pollfd p = {.fd = manager->fd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}
