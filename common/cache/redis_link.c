#include "cache/redis_link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define READ_BYTES (32u << 10)

/* How long a silent connection lives before the kernel asks the other side, how often it then asks, and how long. */
enum { KEEPALIVE_IDLE_S = 30, KEEPALIVE_INTERVAL_S = 5, KEEPALIVE_PROBES = 3 };

static int wait_for(int fd, short events, int64_t deadline_ns, int stop_fd)
{
	struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = stop_fd, .events = POLLIN}};

	for (;;) {
		int64_t left = deadline_ns - clock_monotonic_ns();
		if (left <= 0)
			return -ETIMEDOUT;
		struct timespec time = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
		int n = ppoll(fds, array_size(fds), &time, NULL);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			return fds[1].revents ? -ECANCELED : 0;
	}
}

/* --- connecting --- */

static void set_options(int fd)
{
	const int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S, probes = KEEPALIVE_PROBES;

	/* Without them it works, too. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

static int connect_to(const struct addrinfo *address, int64_t deadline_ns, int stop_fd)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
	int r = 0;

	if (fd < 0)
		return -errno;
	set_options(fd);
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		r = errno == EINPROGRESS ? wait_for(fd, POLLOUT, deadline_ns, stop_fd) : -errno;
	int failure = 0;
	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &(socklen_t){sizeof(failure)}) < 0)
		failure = errno;
	if (r == 0)
		r = -failure;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* Tries one address after the other; each gets its share of the time, so that a silent one leaves some. */
static int connect_any(const struct addrinfo *addresses, int64_t deadline_ns, int stop_fd)
{
	int64_t left = 0;
	int fd = -EADDRNOTAVAIL;

	for (const struct addrinfo *a = addresses; a; a = a->ai_next)
		left++;
	for (const struct addrinfo *a = addresses; a && fd < 0 && fd != -ECANCELED; a = a->ai_next) {
		int64_t now = clock_monotonic_ns();
		fd = connect_to(a, now + (deadline_ns - now) / left--, stop_fd);
	}
	return fd;
}

static int failed(const struct redis_url *url, int r, const char *doing, struct error *err)
{
	char reason[128];

	return error_set(err, ERROR_CONNECTION, "Redis at %s:%u: %s: %s", url->host, (unsigned)url->port, doing,
			 strerror_r(-r, reason, sizeof(reason)));
}

static int open_socket(const struct redis_url *url, int64_t deadline_ns, int stop_fd, struct error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *addresses = NULL;
	char port[8];

	snprintf(port, sizeof(port), "%u", (unsigned)url->port);
	int r = getaddrinfo(url->host, port, &hints, &addresses);
	if (r != 0)
		return error_set(err, ERROR_CONNECTION, "Redis at %s:%s: resolving the name: %s", url->host, port,
				 gai_strerror(r));
	int fd = connect_any(addresses, deadline_ns, stop_fd);
	freeaddrinfo(addresses);
	return fd < 0 ? failed(url, fd, "connecting", err) : fd;
}

/* --- talking --- */

static int send_all(struct redis_link *link, int64_t deadline_ns, int stop_fd)
{
	const struct buffer *b = &link->command;

	for (size_t sent = 0; sent < b->size;) {
		ssize_t n = send(link->fd, b->data + sent, b->size - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		int r = n < 0 ? wait_for(link->fd, POLLOUT, deadline_ns, stop_fd) : 0;
		if (r < 0)
			return r;
		sent += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int read_reply(struct redis_link *link, int64_t deadline_ns, int stop_fd, redisReply **reply)
{
	char bytes[READ_BYTES];
	int r = 0;

	while (r == 0) {
		r = wait_for(link->fd, POLLIN, deadline_ns, stop_fd);
		if (r < 0)
			return r;
		ssize_t n = recv(link->fd, bytes, sizeof(bytes), 0);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0)
			r = redis_wire_reader_feed(&link->reader, bytes, (size_t)n, reply);
	}
	return r < 0 ? r : 0;
}

int redis_link_exchange(struct redis_link *link, const struct redis_argument *arguments, unsigned count,
			int64_t deadline_ns, int stop_fd, redisReply **reply)
{
	buffer_clear(&link->command);
	int r = redis_wire_command(&link->command, arguments, count);
	if (r == 0)
		r = send_all(link, deadline_ns, stop_fd);
	return r < 0 ? r : read_reply(link, deadline_ns, stop_fd, reply);
}

bool redis_link_is_quiet(const struct redis_link *link)
{
	char byte;

	return recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

bool redis_link_is_alive(struct redis_link *link, int64_t deadline_ns, int stop_fd)
{
	static const struct redis_argument ping = {"PING", 4};
	redisReply *reply;

	if (redis_link_exchange(link, &ping, 1, deadline_ns, stop_fd, &reply) < 0)
		return false;
	bool alive = reply->type == REDIS_REPLY_STATUS || reply->type == REDIS_REPLY_ERROR;
	freeReplyObject(reply);
	return alive;
}

/* --- logging in --- */

/* What a connection begins with, in this order. */
enum step { AUTH, SELECT, SET_NAME, PING, STEPS };

static unsigned make_step(enum step step, const struct redis_url *url, char number[16],
			  struct redis_argument arguments[3])
{
	unsigned count = 0;

	if ((step == AUTH && !url->password[0]) || (step == SELECT && url->database == 0))
		return 0;
	static const char *const names[] = {"AUTH", "SELECT", "CLIENT", "PING"};
	arguments[count++] = (struct redis_argument){names[step], strlen(names[step])};
	if (step == AUTH && url->user[0])
		arguments[count++] = (struct redis_argument){url->user, strlen(url->user)};
	if (step == AUTH)
		arguments[count++] = (struct redis_argument){url->password, strlen(url->password)};
	if (step == SELECT)
		arguments[count++] = (struct redis_argument){number, (size_t)sprintf(number, "%u", url->database)};
	if (step == SET_NAME) {
		arguments[count++] = (struct redis_argument){"SETNAME", 7};
		arguments[count++] = (struct redis_argument){"facefleet", 9};
	}
	return count;
}

/*
 * Names are a nicety that a user may not be allowed. A PING is refused for more than one reason, by servers that can
 * be read all the same; but not by these two.
 */
static bool is_fatal(enum step step, const char *word)
{
	if (step == PING)
		return strcmp(word, "NOAUTH") == 0 || strcmp(word, "LOADING") == 0;
	return step != SET_NAME;
}

static int take_step(struct redis_link *link, enum step step, const struct redis_url *url, int64_t deadline_ns,
		     int stop_fd, struct error *err)
{
	char number[16], word[REDIS_WIRE_WORD_SIZE];
	struct redis_argument arguments[3];
	redisReply *reply;
	unsigned count = make_step(step, url, number, arguments);

	if (count == 0)
		return 0;
	int r = redis_link_exchange(link, arguments, count, deadline_ns, stop_fd, &reply);
	if (r < 0)
		return failed(url, r, "logging in", err);
	if (reply->type == REDIS_REPLY_ERROR) {
		redis_wire_error_word(reply, word);
		if (is_fatal(step, word))
			r = error_set(err, ERROR_CONNECTION, "Redis at %s:%u: %s is refused (%s)", url->host,
				      (unsigned)url->port, (const char *)arguments[0].data, word);
	} else if (reply->type != REDIS_REPLY_STATUS) {
		r = failed(url, -EPROTO, "logging in", err);
	}
	freeReplyObject(reply);
	return r;
}

int redis_link_open(struct redis_link *link, const struct redis_url *url, int64_t deadline_ns, int stop_fd,
		    struct error *err)
{
	int fd = open_socket(url, deadline_ns, stop_fd, err);

	if (fd < 0)
		return fd;
	link->fd = fd;
	int r = 0;
	if (redis_wire_reader_init(&link->reader) < 0)
		r = error_set(err, ERROR_INTERNAL, "no memory for a connection to Redis");
	for (enum step step = AUTH; step < STEPS && r == 0; step++)
		r = take_step(link, step, url, deadline_ns, stop_fd, err);
	if (r < 0)
		redis_link_close(link);
	return r;
}

void redis_link_close(struct redis_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	redis_wire_reader_finish(&link->reader);
	buffer_finish(&link->command);
}
