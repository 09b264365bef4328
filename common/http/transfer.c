#include "http/transfer.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"

/* A body that is cut short is read on for this much, so that the connection can be used again. */
#define DISCARD_MAX 65536
#define HEADERS_MAX 65536
#define RETRY_AFTER_MAX_S (366L * 24 * 3600)

static int copy_headers(struct transfer *t, const char *const *headers)
{
	/* An empty "Expect:" keeps curl from asking for permission to send a larger body. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	t->headers = list;
	for (; headers && *headers && list; headers++)
		list = curl_slist_append(t->headers, *headers);
	return list ? 0 : -ENOMEM;
}

struct transfer *transfer_new(const struct http_request *request, const struct address_policy *policy)
{
	struct transfer *t = calloc(1, sizeof(*t));

	assert(strcmp(request->method, "GET") == 0 || strcmp(request->method, "POST") == 0);
	if (!t)
		return NULL;
	t->policy = policy;
	t->submitted_ns = clock_monotonic_ns();
	t->deadline_ms = clock_monotonic_ms() + request->timeout_ms;
	t->post = request->method[0] == 'P';
	t->truncate_body = request->truncate_body;
	t->url = strdup(request->url);
	t->url_fault = http_url_origin(request->url, t->origin);
	t->max_body = request->max_body;
	t->received.limit = request->max_body;
	t->done = request->done;
	t->arg = request->arg;
	if (!t->url || copy_headers(t, request->headers) < 0 ||
	    buffer_append(&t->body, request->body, request->body ? request->body_size : 0) < 0) {
		transfer_free(t);
		return NULL;
	}
	return t;
}

void transfer_free(struct transfer *t)
{
	if (!t)
		return;
	free(t->url);
	curl_slist_free_all(t->headers);
	buffer_finish(&t->body);
	buffer_finish(&t->received);
	free(t);
}

/* Every connection passes here with the very address that is about to be connected to. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = arg;

	(void)purpose;
	if (t->policy && !address_allowed(t->policy, &address->addr)) {
		t->addresses_refused++;
		return CURL_SOCKET_BAD;
	}
	t->addresses_tried++;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Returning less than `size` makes curl end the transfer with CURLE_WRITE_ERROR. */
static size_t receive_body(char *bytes, size_t one, size_t size, void *arg)
{
	struct transfer *t = arg;
	size_t room = t->max_body - t->received.size;
	size_t kept = size < room ? size : room;

	(void)one;
	if (kept < size && !t->truncate_body) {
		t->too_large = true;
		return 0;
	}
	if (kept > 0 && buffer_append(&t->received, bytes, kept) < 0) {
		t->out_of_memory = true;
		return 0;
	}
	t->discarded += size - kept;
	return t->discarded > DISCARD_MAX ? 0 : size;
}

static size_t receive_header(char *bytes, size_t one, size_t size, void *arg)
{
	struct transfer *t = arg;

	(void)bytes;
	(void)one;
	t->header_bytes += size;
	if (t->header_bytes <= HEADERS_MAX)
		return size;
	t->too_large = true;
	return 0;
}

int transfer_prepare(struct transfer *t, CURL *easy, const char *user_agent, int64_t connect_timeout_ms)
{
	CURLcode r = CURLE_OK;

#define SET(option, value)                                                                                             \
	do {                                                                                                           \
		if (r == CURLE_OK)                                                                                     \
			r = curl_easy_setopt(easy, CURLOPT_##option, value);                                           \
	} while (0)

	SET(PRIVATE, t);
	SET(ERRORBUFFER, t->curl_error);
	SET(NOSIGNAL, 1L);
	/* A hanging resolver thread is left behind instead of waited for when a request times out. */
	SET(QUICK_EXIT, 1L);
	SET(PROTOCOLS_STR, "http,https");
	SET(FOLLOWLOCATION, 0L);
	SET(PROXY, "");
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(ACCEPT_ENCODING, NULL);
	SET(CONNECTTIMEOUT_MS, (long)connect_timeout_ms);
	SET(TCP_KEEPALIVE, 1L);
	SET(OPENSOCKETFUNCTION, open_socket);
	SET(OPENSOCKETDATA, t);
	SET(URL, t->url);
	SET(USERAGENT, user_agent);
	SET(HTTPHEADER, t->headers);
	SET(WRITEFUNCTION, receive_body);
	SET(WRITEDATA, t);
	SET(HEADERFUNCTION, receive_header);
	SET(HEADERDATA, t);
	if (!t->truncate_body)
		SET(MAXFILESIZE_LARGE, (curl_off_t)t->max_body);
	if (t->post) {
		SET(POST, 1L);
		SET(POSTFIELDSIZE_LARGE, (curl_off_t)t->body.size);
		SET(POSTFIELDS, (const char *)t->body.data);
	} else {
		SET(HTTPGET, 1L);
	}
#undef SET
	assert(r == CURLE_OK || r == CURLE_OUT_OF_MEMORY);
	if (r != CURLE_OK)
		return -ENOMEM;
	t->easy = easy;
	return 0;
}

/* Retry-After is a number of seconds or an HTTP date (RFC 9110 §10.2.3). -1 for neither. */
static int64_t retry_after_ms(CURL *easy)
{
	struct curl_header *header;

	if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return -1;

	size_t digits = strspn(header->value, "0123456789");
	time_t seconds;
	if (digits > 0 && header->value[digits] == '\0') {
		seconds = digits > 9 ? RETRY_AFTER_MAX_S : strtol(header->value, NULL, 10);
	} else {
		time_t date = curl_getdate(header->value, NULL);
		if (date < 0)
			return -1;
		seconds = date - time(NULL);
	}
	if (seconds < 0)
		seconds = 0;
	return (seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds) * 1000;
}

static void call_done(struct transfer *t, struct http_response *response)
{
	response->elapsed_ms = clock_elapsed_ms(t->submitted_ns, clock_monotonic_ns());
	t->done(t->arg, response);
}

static void answered(struct transfer *t)
{
	struct http_response response = {.outcome = HTTP_ANSWERED, .body_size = t->received.size};
	const char *content_type = NULL;

	/* Never NULL, so that an empty body needs no special care. */
	response.body = t->received.data ? t->received.data : (const uint8_t *)"";
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &response.status);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &content_type);
	snprintf(response.content_type, sizeof(response.content_type), "%s", content_type ? content_type : "");
	response.retry_after_ms = retry_after_ms(t->easy);
	call_done(t, &response);
}

void transfer_abandon(struct transfer *t, enum http_outcome outcome, const char *why)
{
	struct http_response response = {.outcome = outcome, .body = (const uint8_t *)"", .retry_after_ms = -1};

	snprintf(response.text, sizeof(response.text), "%s", why);
	call_done(t, &response);
}

void transfer_finish(struct transfer *t, CURLcode result)
{
	bool enough = result == CURLE_WRITE_ERROR && t->discarded > DISCARD_MAX;
	const char *why = t->curl_error[0] != '\0' ? t->curl_error : curl_easy_strerror(result);

	if (result == CURLE_OK || enough)
		answered(t);
	else if (result == CURLE_FILESIZE_EXCEEDED || t->too_large)
		transfer_abandon(t, HTTP_TOO_LARGE, "the answer is too large");
	else if (t->out_of_memory)
		transfer_abandon(t, HTTP_FAILED, "out of memory");
	else if (result == CURLE_URL_MALFORMAT)
		transfer_abandon(t, HTTP_REFUSED, why);
	else if (t->addresses_refused > 0 && t->addresses_tried == 0)
		transfer_abandon(t, HTTP_REFUSED, "the host's address is not a public one");
	else if (result == CURLE_OPERATION_TIMEDOUT)
		transfer_abandon(t, HTTP_TIMED_OUT, why);
	else
		transfer_abandon(t, HTTP_FAILED, why);
}
