#include "http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128

struct place {
	char host[256]; /* "" for every address */
	char port[6];
};

static bool split(const char *where, struct place *place)
{
	const char *colon = strrchr(where, ':');
	const char *host = where;

	if (!colon)
		return false;
	size_t length = (size_t)(colon - where);
	if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
		host++;
		length -= 2;
	} else if (memchr(host, ':', length)) {
		return false; /* an IPv6 address without brackets: which colon is the port's? */
	}
	size_t digits = strspn(colon + 1, "0123456789");
	if (length >= sizeof(place->host) || digits == 0 || digits > 5 || colon[1 + digits] != '\0' ||
	    atoi(colon + 1) > UINT16_MAX)
		return false;
	memcpy(place->host, host, length);
	place->host[length] = '\0';
	strcpy(place->port, colon + 1);
	return true;
}

static int open_at(const struct addrinfo *address)
{
	int on = 1;
	int off = 0;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)); /* so that ":port" means both */
	if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		int r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

/* Returns the descriptor, or a negative errno with *why set. */
static int open_host(const char *host, const char *port, const char **why)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *addresses = NULL;
	int fd = -EADDRNOTAVAIL;
	int r = getaddrinfo(host, port, &hints, &addresses);

	if (r != 0) {
		*why = gai_strerror(r);
		return -EADDRNOTAVAIL;
	}
	for (const struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next) {
		fd = open_at(a);
		*why = fd < 0 ? strerror(-fd) : NULL;
	}
	freeaddrinfo(addresses);
	return fd;
}

static uint16_t port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t size = sizeof(address);

	getsockname(fd, &address.any, &size);
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

int listen_open(const char *where, uint16_t *port, struct error *err)
{
	struct place place;
	const char *why = NULL;

	if (!split(where, &place)) {
		error_set(err, ERROR_CONFIG,
			  "\"%.100s\" is not an address to listen on (expected host:port, [::1]:port)", where);
		return -EINVAL;
	}
	int fd = open_host(place.host[0] != '\0' ? place.host : "::", place.port, &why);
	if (fd < 0 && place.host[0] == '\0')
		fd = open_host("0.0.0.0", place.port, &why); /* a machine without IPv6 */
	if (fd < 0) {
		error_set(err, ERROR_CONFIG, "cannot listen on %.100s: %s", where, why);
		return fd;
	}
	*port = port_of(fd);
	return fd;
}
