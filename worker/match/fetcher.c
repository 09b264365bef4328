#include "fetcher.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "http/address.h"
#include "http/url.h"
#include "obs/breakers.h"

/* Hosts whose failures are remembered. */
#define MAX_HOSTS 1000

struct fetcher {
	struct fetcher_settings settings;
	atomic_int_fast64_t timeout_ms;
	struct address_policy *policy;
	struct http_client *client;
	struct breakers *breakers;
};

/* One image of one task, while it is under way. */
struct fetch {
	struct fetcher *fetcher;
	struct task *task;
	struct task_fetch *into;
	struct job_image *image;
	int64_t allowed_ms;
	bool in_a_hurry;             /* the task allows less than the settings do */
	char host[HTTP_ORIGIN_SIZE]; /* with scheme and port */
	unsigned ticket;             /* of the host's breaker */
};

int fetcher_new(struct fetcher **out, const struct fetcher_settings *settings, struct error *err)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher)
		return error_set(err, ERROR_INTERNAL, "no memory for the image fetcher");
	fetcher->settings = *settings;
	fetcher_set_timeout(fetcher, settings->timeout_ms);
	fetcher->breakers = breakers_new("image_host", &breakers_of_strangers, MAX_HOSTS, settings->metrics);
	if (!fetcher->breakers) {
		fetcher_free(fetcher);
		return error_set(err, ERROR_INTERNAL, "no memory for the image fetcher");
	}
	int r = address_policy_new(&fetcher->policy, settings->allow, err);
	if (r < 0) {
		error_prefix(err, "fetch.allow");
		fetcher_free(fetcher);
		return r;
	}
	const struct http_client_settings client = {
	    .name = "fetch",
	    .user_agent = "facefleet-worker",
	    .policy = fetcher->policy,
	    .max_connections = settings->max_in_flight,
	};
	r = http_client_new(&fetcher->client, &client, err);
	if (r < 0) {
		fetcher_free(fetcher);
		return r;
	}
	*out = fetcher;
	return 0;
}

void fetcher_set_timeout(struct fetcher *fetcher, int64_t timeout_ms)
{
	atomic_store(&fetcher->timeout_ms, timeout_ms);
}

void fetcher_free(struct fetcher *fetcher)
{
	if (!fetcher)
		return;
	http_client_free(fetcher->client);
	address_policy_free(fetcher->policy);
	breakers_free(fetcher->breakers);
	free(fetcher);
}

/* What an answer that is not the photograph means for the task. */
static void judge(const struct fetcher *fetcher, const struct http_response *response, struct error *err)
{
	switch (response->outcome) {
	case HTTP_ANSWERED:
		error_set(err, ERROR_IMAGE_FETCH_FAILED, "the image's server answered %ld", response->status);
		return;
	case HTTP_REFUSED:
		error_set_class(err, ERROR_CLASS_REJECT, ERROR_IMAGE_FETCH_FAILED, "%s", response->text);
		return;
	case HTTP_TOO_LARGE:
		error_set_limit(err, ERROR_IMAGE_TOO_LARGE, "bytes", (double)fetcher->settings.max_bytes + 1,
				(double)fetcher->settings.max_bytes, "the image is larger than %zu bytes",
				fetcher->settings.max_bytes);
		return;
	case HTTP_TIMED_OUT:
	case HTTP_FAILED:
		error_set(err, ERROR_IMAGE_FETCH_FAILED, "%s", response->text);
		return;
	}
}

/* A host is not to blame for what this fleet refuses, nor for being slower than a job in a hurry allows. */
static void report(const struct fetch *fetch, const struct http_response *response)
{
	struct breakers *breakers = fetch->fetcher->breakers;

	if (response->outcome == HTTP_REFUSED || (response->outcome == HTTP_TIMED_OUT && fetch->in_a_hurry))
		breakers_withdraw(breakers, fetch->host, fetch->ticket);
	else
		breakers_report(breakers, &fetch->task->ctx, fetch->host, fetch->ticket,
				!http_server_failed(response->outcome, response->status));
}

static void finish_one(struct fetch *fetch)
{
	struct fetcher *fetcher = fetch->fetcher;
	struct task *task = fetch->task;

	free(fetch);
	if (atomic_fetch_sub(&task->fetches_pending, 1) == 1)
		fetcher->settings.done(fetcher->settings.arg, task);
}

static void on_response(void *arg, const struct http_response *response)
{
	struct fetch *fetch = arg;
	struct task_fetch *into = fetch->into;

	into->elapsed_ms = response->elapsed_ms;
	report(fetch, response);
	if (response->outcome != HTTP_ANSWERED || response->status != 200) {
		judge(fetch->fetcher, response, &into->error);
	} else {
		/* One byte more than needed, so that an empty body is no failed allocation. */
		into->data = malloc(response->body_size + 1);
		if (into->data) {
			memcpy(into->data, response->body, response->body_size);
			fetch->image->data = into->data;
			fetch->image->size = response->body_size;
		} else {
			error_set(&into->error, ERROR_INTERNAL, "no memory for a fetched image");
		}
	}
	finish_one(fetch);
}

/* Hands it to the client, unless its host keeps failing. False: `err` says why not. */
static bool submit(struct fetch *fetch, struct error *err)
{
	struct fetcher *fetcher = fetch->fetcher;
	const struct http_request request = {
	    .method = "GET",
	    .url = fetch->image->url,
	    .max_body = fetcher->settings.max_bytes,
	    .timeout_ms = fetch->allowed_ms,
	    .done = on_response,
	    .arg = fetch,
	};

	if (http_url_origin(fetch->image->url, fetch->host) != 0)
		fetch->host[0] = '\0'; /* the client says what is wrong with it */
	fetch->ticket = breakers_allow(fetcher->breakers, &fetch->task->ctx, fetch->host);
	if (!fetch->ticket) {
		error_set(err, ERROR_IMAGE_FETCH_FAILED,
			  "the image's server failed again and again: it is not asked for a while");
		return false;
	}
	if (http_client_submit(fetcher->client, &request) == 0)
		return true;
	breakers_withdraw(fetcher->breakers, fetch->host, fetch->ticket);
	error_set(err, ERROR_IMAGE_FETCH_FAILED, "the fetch could not be started");
	return false;
}

static void start_one(struct fetcher *fetcher, struct task *task, struct job_image *image, struct task_fetch *into)
{
	struct fetch *fetch = malloc(sizeof(*fetch));
	int64_t timeout_ms = atomic_load(&fetcher->timeout_ms);

	if (fetch) {
		*fetch = (struct fetch){.fetcher = fetcher, .task = task, .into = into, .image = image};
		fetch->allowed_ms = context_remaining_ms(&task->ctx, timeout_ms);
		fetch->in_a_hurry = fetch->allowed_ms < timeout_ms;
		if (submit(fetch, &into->error))
			return;
	} else {
		error_set(&into->error, ERROR_INTERNAL, "no memory for a fetch");
	}
	free(fetch);
	if (atomic_fetch_sub(&task->fetches_pending, 1) == 1)
		fetcher->settings.done(fetcher->settings.arg, task);
}

void fetcher_start(struct fetcher *fetcher, struct task *task)
{
	bool a = task->job.image_a.url != NULL;
	bool b = task->job.image_b.url != NULL;

	/* Counted before the first starts: the task may be gone as soon as the last has. */
	atomic_store(&task->fetches_pending, (a ? 1 : 0) + (b ? 1 : 0));
	if (a)
		start_one(fetcher, task, &task->job.image_a, &task->fetch_a);
	if (b)
		start_one(fetcher, task, &task->job.image_b, &task->fetch_b);
}

const struct error *fetcher_error(const struct task *task)
{
	if (error_is_set(&task->fetch_a.error))
		return &task->fetch_a.error;
	return error_is_set(&task->fetch_b.error) ? &task->fetch_b.error : NULL;
}
