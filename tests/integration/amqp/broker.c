#include "broker.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/uuid.h"

static void give_up(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static const char *folder(void)
{
	const char *dir = getenv("FACEFLEET_TEST_BROKER");

	if (!dir)
		give_up("FACEFLEET_TEST_BROKER and FACEFLEET_TEST_AMQP_URL are not set: run this with ./tests/run");
	return dir;
}

/* --- the script that started it --- */

/* Runs `private-broker COMMAND DIR MORE`; what it prints goes to `out`, without the end of line. */
static void run_script(const char *command, const char *more, char *out, size_t size)
{
	char line[2048];

	snprintf(line, sizeof(line), "'%s' %s '%s' %s", PRIVATE_BROKER, command, folder(), more);
	FILE *pipe = popen(line, "r");
	if (!pipe || !fgets(out, (int)size, pipe))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (!pipe || pclose(pipe) != 0)
		give_up(line);
}

void broker_restart(void)
{
	char ignored[512];

	run_script("restart", "", ignored, sizeof(ignored));
}

void broker_crash(void)
{
	char ignored[512];

	run_script("kill", "", ignored, sizeof(ignored));
	run_script("start", "", ignored, sizeof(ignored));
}

static pid_t process(void)
{
	char text[32];

	run_script("pid", "", text, sizeof(text));
	return (pid_t)atol(text);
}

/* True if every thread has stopped: SIGSTOP reaches them one by one. */
static bool is_stopped(pid_t pid)
{
	char line[256];

	snprintf(line, sizeof(line), "! cat /proc/%d/task/*/status | grep '^State:' | grep -qv 'T (stopped)'",
		 (int)pid);
	return system(line) == 0;
}

void broker_freeze(void)
{
	pid_t pid = process();

	if (kill(pid, SIGSTOP) < 0)
		give_up("cannot stop the broker");
	while (!is_stopped(pid))
		usleep(10000);
}

void broker_thaw(void)
{
	if (kill(process(), SIGCONT) < 0)
		give_up("cannot let the broker go on");
}

void broker_set_memory_alarm(bool raised)
{
	char ignored[512];

	run_script("ctl", raised ? "set_vm_memory_high_watermark absolute 1" : "set_vm_memory_high_watermark 0.8",
		   ignored, sizeof(ignored));
}

void broker_limit_user(struct amqp_url *url, const char *exchanges)
{
	struct amqp_endpoint *host = &url->hosts[0];
	char ignored[512];
	char more[600];

	uuid_v7(host->user);
	snprintf(host->password, sizeof(host->password), "limited");
	snprintf(more, sizeof(more), "add_user %s %s", host->user, host->password);
	run_script("ctl", more, ignored, sizeof(ignored));
	snprintf(more, sizeof(more), "set_permissions -p %s %s '^$' '%s' '^$'", host->vhost, host->user, exchanges);
	run_script("ctl", more, ignored, sizeof(ignored));
}

void broker_limit_messages(unsigned bytes)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/conf.d/limit.conf", folder());
	FILE *file = fopen(path, "w");
	if (!file)
		give_up(path);
	if (bytes > 0)
		fprintf(file, "max_message_size = %u\n", bytes);
	fclose(file);
	broker_restart();
}

/* --- TLS --- */

static void run_shell(const char *line)
{
	if (system(line) != 0)
		give_up(line);
}

/* A certificate that signs itself is its own authority. */
static void make_certificate(const char *folder_path, const char *name)
{
	char line[1024];

	snprintf(line, sizeof(line),
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
		 "-addext subjectAltName=DNS:localhost -keyout '%s/%s.key' -out '%s/%s.pem' 2>/dev/null",
		 folder_path, name, folder_path, name);
	run_shell(line);
}

static uint16_t free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		give_up("no free port");
	close(fd);
	return ntohs(address.sin_port);
}

uint16_t broker_start_tls(const char *folder_path)
{
	char path[1024];
	uint16_t port = free_port();

	make_certificate(folder_path, "ca");
	make_certificate(folder_path, "other");
	snprintf(path, sizeof(path), "%s/conf.d/tls.conf", folder());
	FILE *file = fopen(path, "w");
	if (!file)
		give_up(path);
	fprintf(file,
		"listeners.ssl.local = 127.0.0.1:%u\n"
		"ssl_options.certfile = %s/ca.pem\n"
		"ssl_options.keyfile = %s/ca.key\n",
		(unsigned)port, folder_path, folder_path);
	fclose(file);
	broker_restart();
	return port;
}

void broker_stop_tls(const char *folder_path)
{
	char line[1024];

	snprintf(line, sizeof(line), "rm -rf '%s' '%s/conf.d/tls.conf'", folder_path, folder());
	run_shell(line);
	broker_restart();
}

/* --- its management interface --- */

static size_t collect(char *data, size_t size, size_t count, void *arg)
{
	return buffer_append(arg, data, size * count) == 0 ? size * count : 0;
}

/* One request; returns the status, and the body in `answer` when that is not NULL. */
static long call(const char *method, const char *path, struct buffer *answer)
{
	static char base[512];
	struct buffer ignored = {0};
	char url[2048];
	long status = 0;

	if (!base[0])
		run_script("management", "", base, sizeof(base));
	snprintf(url, sizeof(url), "%s/api/%s", base, path);
	CURL *curl = curl_easy_init();
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer ? answer : &ignored);
	if (curl_easy_perform(curl) != CURLE_OK)
		give_up("the broker's management interface does not answer");
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	buffer_finish(&ignored);
	return status;
}

void broker_new_vhost(struct amqp_url *url)
{
	const char *text = getenv("FACEFLEET_TEST_AMQP_URL");
	char id[UUID_SIZE];
	char path[128];
	struct error err;

	folder();
	if (!text || amqp_url_parse(url, text, &err) < 0)
		give_up("FACEFLEET_TEST_AMQP_URL is missing or no AMQP URL: run this with ./tests/run");
	uuid_v7(id);
	snprintf(url->hosts[0].vhost, sizeof(url->hosts[0].vhost), "test-%s", id);
	snprintf(path, sizeof(path), "vhosts/test-%s", id);
	if (call("PUT", path, NULL) != 201)
		give_up("cannot make a virtual host");
}

bool broker_close_connection(const char *name)
{
	struct buffer answer = {0};
	bool found = false;
	size_t i;
	json_t *entry;

	call("GET", "connections", &answer);
	json_t *all = json_loadb((const char *)answer.data, answer.size, 0, NULL);
	json_array_foreach(all, i, entry)
	{
		const char *id = json_string_value(json_object_get(entry, "name"));
		const char *given =
		    json_string_value(json_object_get(json_object_get(entry, "client_properties"), "connection_name"));
		if (!given || strcmp(given, name) != 0)
			continue;
		char *escaped = curl_easy_escape(NULL, id, 0);
		char path[1024];
		snprintf(path, sizeof(path), "connections/%s", escaped);
		curl_free(escaped);
		found = call("DELETE", path, NULL) == 204 || found;
	}
	json_decref(all);
	buffer_finish(&answer);
	return found;
}

unsigned broker_count_queues(const struct amqp_url *url, const char *prefix)
{
	struct buffer answer = {0};
	char path[300];
	unsigned count = 0;
	size_t i;
	json_t *entry;

	snprintf(path, sizeof(path), "queues/%s", url->hosts[0].vhost);
	if (call("GET", path, &answer) != 200)
		give_up("cannot list the queues");
	json_t *all = json_loadb((const char *)answer.data, answer.size, 0, NULL);
	json_array_foreach(all, i, entry)
	{
		const char *name = json_string_value(json_object_get(entry, "name"));
		count += name && strncmp(name, prefix, strlen(prefix)) == 0;
	}
	json_decref(all);
	buffer_finish(&answer);
	return count;
}

/* --- AMQP --- */

void broker_connect(const struct amqp_url *url, struct connection *out)
{
	struct error err;

	if (connection_open(
		out,
		&(struct connection_settings){
		    .url = url, .endpoint = &url->hosts[0], .name = "test", .heartbeat_s = 60, .timeout_ms = 30000},
		&err) < 0)
		give_up(err.text);
}

void broker_delete_queue(const struct amqp_url *url, const char *queue)
{
	struct connection c;

	broker_connect(url, &c);
	amqp_queue_delete(c.state, CONNECTION_CHANNEL, amqp_cstring_bytes(queue), 0, 0);
	if (amqp_get_rpc_reply(c.state).reply_type != AMQP_RESPONSE_NORMAL)
		give_up("cannot delete a queue");
	connection_close(&c, true);
}

unsigned broker_count_ready(const struct amqp_url *url, const char *queue)
{
	struct connection c;

	broker_connect(url, &c);
	amqp_queue_declare_ok_t *ok =
	    amqp_queue_declare(c.state, CONNECTION_CHANNEL, amqp_cstring_bytes(queue), 1, 0, 0, 0, amqp_empty_table);
	unsigned count = ok ? ok->message_count : UINT32_MAX;
	connection_close(&c, true);
	return count;
}
