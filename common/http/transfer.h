#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include <curl/curl.h>

#include "http/client.h"
#include "http/schedule.h"
#include "http/url.h"

/*
 * One request of the client: what was asked, and what came so far. Inside of common/http. After
 * transfer_new() only the client's thread touches it.
 */
struct transfer {
	struct schedule_entry entry;
	struct transfer *previous; /* in the client's list */
	struct transfer *next;
	CURL *easy; /* NULL until started; belongs to the client */
	const struct address_policy *policy;
	int64_t submitted_ns;
	int64_t deadline_ms; /* monotonic */
	/* the request */
	bool post;
	bool truncate_body;
	char *url;
	int url_fault; /* what http_url_origin() says */
	char origin[HTTP_ORIGIN_SIZE];
	struct curl_slist *headers;
	struct buffer body;
	size_t max_body;
	http_done_fn *done;
	void *arg;
	/* the answer */
	struct buffer received;
	size_t discarded; /* body bytes behind the part that is kept */
	size_t header_bytes;
	bool too_large;
	bool out_of_memory;
	unsigned addresses_refused;
	unsigned addresses_tried;
	char curl_error[CURL_ERROR_SIZE];
};

/** Copies a request. NULL when memory is out. Any thread. */
struct transfer *transfer_new(const struct http_request *request, const struct address_policy *policy) must_check;
void transfer_free(struct transfer *t);

/** Sets every option of a fresh or reset handle for this transfer and remembers it. Returns 0 or -ENOMEM. */
int transfer_prepare(struct transfer *t, CURL *easy, const char *user_agent, int64_t connect_timeout_ms) must_check;

/** Calls the request's done function with what curl's result amounts to. */
void transfer_finish(struct transfer *t, CURLcode result);

/** Calls the request's done function for a transfer that curl did not end. */
void transfer_abandon(struct transfer *t, enum http_outcome outcome, const char *why);

#endif
