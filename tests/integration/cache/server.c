#include "server.h"

#include "run.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cache/redis_link.h"

static void give_up(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static const char *required(const char *variable)
{
	const char *value = getenv(variable);

	if (!value)
		give_up("FACEFLEET_TEST_REDIS and FACEFLEET_TEST_REDIS_URL are not set: run this with ./tests/run");
	return value;
}

const char *server_url(void)
{
	return required("FACEFLEET_TEST_REDIS_URL");
}

void server_do(const char *command)
{
	char line[1024];

	snprintf(line, sizeof(line), "'%s' %s '%s' >/dev/null", PRIVATE_REDIS, command,
		 required("FACEFLEET_TEST_REDIS"));
	if (system(line) != 0)
		give_up(line);
}

struct redisReply *server_ask(const char *words)
{
	struct redis_link link = {.fd = -1};
	struct redis_argument arguments[16];
	struct redis_url url;
	struct error err = {0};
	unsigned count = 0;
	redisReply *reply;
	char copy[512];
	char *rest = copy;
	int64_t until = clock_monotonic_ns() + INT64_C(20000000000);

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word; (word = strsep(&rest, " ")) && count < array_size(arguments); count++)
		arguments[count] = (struct redis_argument){word, strlen(word)};
	if (redis_url_parse(&url, server_url(), &err) < 0 || redis_link_open(&link, &url, until, -1, &err) < 0)
		give_up(err.text);
	if (redis_link_exchange(&link, arguments, count, until, -1, &reply) < 0)
		give_up(words);
	redis_link_close(&link);
	return reply;
}

void server_expect(const char *words, const char *expected)
{
	redisReply *reply = server_ask(words);
	char number[32];

	snprintf(number, sizeof(number), "%lld", reply->integer);
	const char *text = reply->type == REDIS_REPLY_INTEGER ? number : reply->str ? reply->str : "(none)";
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s instead of %s", words, text, expected);
	freeReplyObject(reply);
}

struct redis *server_client(int64_t timeout_ms)
{
	struct redis *redis;
	struct error err = {0};
	const struct redis_settings settings = {.url = server_url(), .timeout_ms = timeout_ms ? timeout_ms : 20000};

	if (redis_new(&redis, &settings, &err) < 0)
		give_up(err.text);
	server_wait(redis, true);
	return redis;
}

void server_wait(struct redis *redis, bool up)
{
	int64_t until = clock_monotonic_ms() + 30000;

	while (redis_is_up(redis) != up) {
		if (clock_monotonic_ms() > until)
			give_up(up ? "no connection to Redis" : "still a connection to Redis");
		usleep(1000);
	}
}
