#include "fake_redis.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/wakeup.h"

enum { MAX_PEERS = 32, PIECE_PAUSE_MS = 5 };

/* What a connection begins with: CLIENT SETNAME and PING. */
static const char login[] = "PING\r\n";

struct peer {
	int fd; /* 0: none */
	bool is_in;
	size_t sent; /* of the answer in pieces; 0: nothing is being sent */
	const struct fake_redis_answer *answer;
};

struct fake_redis {
	int listener;
	int stop_fd;
	char url[64];
	pthread_t thread;
	_Atomic(const struct fake_redis_answer *) answer;
	atomic_uint connections;
	atomic_uint answered;
	struct peer peers[MAX_PEERS];
};

static void leave(struct peer *peer)
{
	close(peer->fd);
	*peer = (struct peer){0};
}

static bool put(struct peer *peer, const char *text, size_t size)
{
	return send(peer->fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size;
}

/* Sends the next piece, or all. */
static void go_on(struct fake_redis *fake, struct peer *peer)
{
	const struct fake_redis_answer *a = peer->answer;
	size_t left = a->size - peer->sent;
	size_t size = a->piece && a->piece < left ? a->piece : left;

	if (!put(peer, a->text + peer->sent, size)) {
		leave(peer);
		return;
	}
	peer->sent += size;
	if (peer->sent < a->size)
		return;
	atomic_fetch_add(&fake->answered, 1);
	if (a->then == FAKE_CLOSES) {
		leave(peer);
		return;
	}
	peer->answer = NULL;
	peer->sent = 0;
}

static void hear(struct fake_redis *fake, struct peer *peer)
{
	char bytes[4096];
	ssize_t n = recv(peer->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n <= 0) {
		leave(peer);
		return;
	}
	if (peer->is_in) {
		peer->answer = atomic_load(&fake->answer);
		peer->sent = 0;
		go_on(fake, peer);
		return;
	}
	/* Commands of the login come one by one. */
	peer->is_in = n >= (ssize_t)strlen(login) && memcmp(bytes + n - strlen(login), login, strlen(login)) == 0;
	if (!put(peer, peer->is_in ? "+PONG\r\n" : "+OK\r\n", peer->is_in ? 7 : 5))
		leave(peer);
}

static void welcome(struct fake_redis *fake)
{
	int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
	unsigned i = 0;

	while (i < MAX_PEERS && fake->peers[i].fd > 0)
		i++;
	if (fd < 0)
		return;
	if (i == MAX_PEERS) {
		close(fd);
		return;
	}
	/* Pieces leave when they are sent, not when the one before has arrived. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	fake->peers[i] = (struct peer){.fd = fd};
	atomic_fetch_add(&fake->connections, 1);
}

static void *serve(void *arg)
{
	struct fake_redis *fake = arg;
	struct pollfd fds[2 + MAX_PEERS];

	for (;;) {
		int timeout = -1;
		fds[0] = (struct pollfd){.fd = fake->stop_fd, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = fake->listener, .events = POLLIN};
		for (unsigned i = 0; i < MAX_PEERS; i++) {
			struct peer *peer = &fake->peers[i];
			fds[2 + i] = (struct pollfd){.fd = peer->fd > 0 ? peer->fd : -1, .events = POLLIN};
			if (peer->answer)
				timeout = PIECE_PAUSE_MS;
		}
		int n = poll(fds, 2 + MAX_PEERS, timeout);
		if (fds[0].revents)
			return NULL;
		for (unsigned i = 0; i < MAX_PEERS; i++) {
			if (n > 0 && fds[2 + i].revents)
				hear(fake, &fake->peers[i]);
			else if (fake->peers[i].answer)
				go_on(fake, &fake->peers[i]);
		}
		if (n > 0 && fds[1].revents)
			welcome(fake);
	}
}

struct fake_redis *fake_redis_new(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct fake_redis *fake = calloc(1, sizeof(*fake));

	if (!fake)
		abort();
	fake->stop_fd = wakeup_open();
	fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fake->stop_fd < 0 || fake->listener < 0 ||
	    bind(fake->listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fake->listener, 16) < 0 ||
	    getsockname(fake->listener, (struct sockaddr *)&address, &(socklen_t){sizeof(address)}) < 0)
		abort();
	snprintf(fake->url, sizeof(fake->url), "redis://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
	if (thread_start(&fake->thread, serve, fake) < 0)
		abort();
	return fake;
}

void fake_redis_free(struct fake_redis *fake)
{
	wakeup_signal(fake->stop_fd);
	pthread_join(fake->thread, NULL);
	for (unsigned i = 0; i < MAX_PEERS; i++)
		if (fake->peers[i].fd > 0)
			leave(&fake->peers[i]);
	close(fake->listener);
	close(fake->stop_fd);
	free(fake);
}

const char *fake_redis_url(const struct fake_redis *fake)
{
	return fake->url;
}

void fake_redis_answers(struct fake_redis *fake, const struct fake_redis_answer *answer)
{
	atomic_store(&fake->answer, answer);
}

unsigned fake_redis_answered(const struct fake_redis *fake)
{
	return atomic_load(&fake->answered);
}

unsigned fake_redis_connections(const struct fake_redis *fake)
{
	return atomic_load(&fake->connections);
}
