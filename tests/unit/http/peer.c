#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "run.h"

#define REQUEST_MAX 65536
#define WAIT_MS 10000

struct connection {
	struct connection *next;
	struct peer *peer;
	pthread_t thread;
	int fd;
};

struct peer {
	pthread_t thread;
	int listen_fd;
	uint16_t port;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct connection *connections;
	unsigned accepted;
	unsigned requests;
	unsigned held;
	unsigned most_held;
	bool barrier_open;
	bool stopping;
};

/* False when the client is gone. */
static bool send_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		bytes += sent;
		size -= (size_t)sent;
	}
	return true;
}

static bool send_text(int fd, const char *text)
{
	return send_all(fd, text, strlen(text));
}

static bool send_ok(int fd, const char *body, size_t size)
{
	char head[256];

	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
		 size);
	return send_text(fd, head) && send_all(fd, body, size);
}

static bool send_endlessly(int fd, const char *head, const char *again)
{
	bool alive = send_text(fd, head);

	while (alive)
		alive = send_text(fd, again);
	return false;
}

static bool send_retry_date(int fd)
{
	char date[64];
	char answer[256];
	struct tm tm;
	time_t then = time(NULL) + 3600;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
	snprintf(answer, sizeof(answer), "HTTP/1.1 503 Unavailable\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n",
		 date);
	return send_text(fd, answer);
}

/* Stands at the barrier until it opens (or for ever), the peer stops. Returns true once it is open. */
static bool hold(struct peer *peer, bool for_ever)
{
	pthread_mutex_lock(&peer->lock);
	peer->held++;
	if (peer->held > peer->most_held)
		peer->most_held = peer->held;
	pthread_cond_broadcast(&peer->changed);
	while (!peer->stopping && (for_ever || !peer->barrier_open))
		pthread_cond_wait(&peer->changed, &peer->lock);
	peer->held--;
	bool open = !peer->stopping;
	pthread_mutex_unlock(&peer->lock);
	return open;
}

static bool is_path(const char *request, const char *path)
{
	const char *space = strchr(request, ' ');

	return space && strncmp(space + 1, path, strlen(path)) == 0 && strchr(" ?", space[1 + strlen(path)]);
}

/* Returns false when the connection is to be closed. */
static bool answer(struct peer *peer, int fd, const char *request, const char *body, size_t body_size)
{
	if (is_path(request, "/ok"))
		return send_ok(fd, "hello", 5);
	if (is_path(request, "/echo"))
		return send_ok(fd, body, body_size);
	if (is_path(request, "/headers"))
		return send_ok(fd, request, strlen(request));
	if (is_path(request, "/redirect"))
		return send_text(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
	if (is_path(request, "/retry-seconds"))
		return send_text(fd, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
	if (is_path(request, "/retry-date"))
		return send_retry_date(fd);
	if (is_path(request, "/large"))
		return send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nabcdefghijklmnopqrstuvwxyz");
	if (is_path(request, "/chunked"))
		return send_endlessly(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
				      "10\r\n0123456789abcdef\r\n");
	if (is_path(request, "/many-headers"))
		return send_endlessly(fd, "HTTP/1.1 200 OK\r\n", "X-Filler: 0123456789abcdef\r\n");
	if (is_path(request, "/cut"))
		return send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789") && false;
	if (is_path(request, "/garbage"))
		return send_text(fd, "what do you want\r\n\r\n") && false;
	if (is_path(request, "/hang"))
		return hold(peer, true);
	if (is_path(request, "/barrier"))
		return hold(peer, false) && send_ok(fd, "through", 7);
	return send_text(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

/* Reads one request into `buffer`, the body behind a zero in the place of the last newline. 0 when the client left. */
static size_t read_request(int fd, char *buffer, char **body)
{
	size_t size = 0;
	size_t need = 0;

	while (need == 0 || size < need) {
		ssize_t got = size < REQUEST_MAX - 1 ? recv(fd, buffer + size, REQUEST_MAX - 1 - size, 0) : 0;
		if (got <= 0)
			return 0;
		size += (size_t)got;
		buffer[size] = '\0';
		char *end = need == 0 ? strstr(buffer, "\r\n\r\n") : NULL;
		if (end) {
			const char *length = strcasestr(buffer, "\r\nContent-Length:");
			*body = end + 4;
			need = (size_t)(end + 4 - buffer) + (length ? strtoul(length + 17, NULL, 10) : 0);
			end[3] = '\0';
		}
	}
	return size;
}

static void *serve(void *arg)
{
	struct connection *connection = arg;
	struct peer *peer = connection->peer;
	char *buffer = malloc(REQUEST_MAX);
	char *body = NULL;
	size_t size;

	while ((size = read_request(connection->fd, buffer, &body)) > 0) {
		pthread_mutex_lock(&peer->lock);
		peer->requests++;
		pthread_mutex_unlock(&peer->lock);
		if (!answer(peer, connection->fd, buffer, body, size - (size_t)(body - buffer)))
			break;
	}
	shutdown(connection->fd, SHUT_RDWR);
	free(buffer);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct peer *peer = arg;
	int fd;

	while ((fd = accept(peer->listen_fd, NULL, NULL)) >= 0) {
		struct connection *connection = calloc(1, sizeof(*connection));
		connection->peer = peer;
		connection->fd = fd;
		pthread_mutex_lock(&peer->lock);
		peer->accepted++;
		connection->next = peer->connections;
		peer->connections = connection;
		pthread_mutex_unlock(&peer->lock);
		pthread_create(&connection->thread, NULL, serve, connection);
	}
	return NULL;
}

struct peer *peer_start(void)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
	socklen_t size = sizeof(address);
	pthread_condattr_t attr;

	assert_non_null(peer);
	peer->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Every address of 127.0.0.0/8, so that tests have several hosts, and nothing else. */
	assert_int_equal(setsockopt(peer->listen_fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	assert_int_equal(bind(peer->listen_fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(peer->listen_fd, 512), 0);
	assert_int_equal(getsockname(peer->listen_fd, (struct sockaddr *)&address, &size), 0);
	peer->port = ntohs(address.sin_port);
	pthread_mutex_init(&peer->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&peer->changed, &attr);
	pthread_condattr_destroy(&attr);
	assert_int_equal(pthread_create(&peer->thread, NULL, accept_all, peer), 0);
	return peer;
}

void peer_stop(struct peer *peer)
{
	shutdown(peer->listen_fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->listen_fd);
	pthread_mutex_lock(&peer->lock);
	peer->stopping = true;
	pthread_cond_broadcast(&peer->changed);
	pthread_mutex_unlock(&peer->lock);
	for (struct connection *c = peer->connections, *next; c; c = next) {
		next = c->next;
		shutdown(c->fd, SHUT_RDWR);
		pthread_join(c->thread, NULL);
		close(c->fd);
		free(c);
	}
	pthread_cond_destroy(&peer->changed);
	pthread_mutex_destroy(&peer->lock);
	free(peer);
}

uint16_t peer_port(const struct peer *peer)
{
	return peer->port;
}

static unsigned read_locked(struct peer *peer, const unsigned *number)
{
	pthread_mutex_lock(&peer->lock);
	unsigned value = *number;
	pthread_mutex_unlock(&peer->lock);
	return value;
}

unsigned peer_connections(struct peer *peer)
{
	return read_locked(peer, &peer->accepted);
}

unsigned peer_requests(struct peer *peer)
{
	return read_locked(peer, &peer->requests);
}

unsigned peer_most_held(struct peer *peer)
{
	return read_locked(peer, &peer->most_held);
}

void peer_wait_for_held(struct peer *peer, unsigned count)
{
	struct timespec until = clock_timespec_in_ms(WAIT_MS);
	int r = 0;

	pthread_mutex_lock(&peer->lock);
	while (peer->held < count && r == 0)
		r = pthread_cond_timedwait(&peer->changed, &peer->lock, &until);
	unsigned held = peer->held;
	pthread_mutex_unlock(&peer->lock);
	if (held < count)
		fail_msg("%u requests are held, %u were expected", held, count);
}

void peer_open_barrier(struct peer *peer)
{
	pthread_mutex_lock(&peer->lock);
	peer->barrier_open = true;
	pthread_cond_broadcast(&peer->changed);
	pthread_mutex_unlock(&peer->lock);
}
