#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/stop.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/image_file.h"
#include "cli/job_args.h"
#include "cli/job_message.h"
#include "cli/picture.h"
#include "cli/report.h"
#include "cli/verdict.h"
#include "obs/log.h"

#define CONNECT_TIMEOUT_MS 5000
#define DEFAULT_TIMEOUT_S 60
#define MAX_TIMEOUT_S 86400
/* When a person is told what there is to wait for. */
#define HINT_MS 3000
#define RESEND_MS 500
#define POLL_MS 100

static const struct arg_option options[] = {
    {"json", 'j', NULL, "Print the reply as JSON."},
    {"picture", 'p', "OUT.jpg", "Draw both photographs with faces and verdict; they must be files."},
    {"timeout", 't', "S", "Seconds to wait for the reply; 60 without it."},
    {0},
};

/* The files as they were sent, kept for the picture. */
struct photographs {
	struct buffer a;
	struct buffer b;
};

/* One job, from its message to its reply. */
struct exchange {
	struct client *client;
	struct client_ticket ticket;
	char task_id[UUID_SIZE];
	struct amqp_message *message; /* to be sent; NULL: it is on its way */
	int64_t send_ms;              /* when */
	int64_t hint_ms;              /* when to say what is waited for; INT64_MAX: it was said */
	int64_t until_ms;
	bool quiet;
	const struct reply *reply;
	enum exit_status verdict; /* when the loop ends without a reply */
};

static int make_message(struct amqp_message **message, struct photographs *photographs, const struct cli *cli,
			const struct job_args *args, struct error *err)
{
	size_t max_bytes = (size_t)config_integer(cli->config, OPTION_IMAGE_MAX_BYTES);
	struct job job;

	job_init(&job, JOB_MATCH);
	job.scene = args->scene;
	job.callback_url = args->callback_url;
	job.options = args->options;
	int r = image_file_read(&job.image_a, &photographs->a, "", cli->args->operands[0], max_bytes, err);
	if (r == 0)
		r = image_file_read(&job.image_b, &photographs->b, "", cli->args->operands[1], max_bytes, err);
	if (r == 0 && args_count(cli->args, "picture") > 0 && (job.image_a.url || job.image_b.url))
		r = error_set(err, ERROR_INVALID_JOB, "--picture wants both photographs as files, not as URLs");
	return r == 0 ? job_message_new(message, &job, err) : r;
}

/* True when the exchange is over. */
static bool on_outcome(struct exchange *x, const struct client_event *event)
{
	switch (event->outcome) {
	case AMQP_NACKED:
		x->message = event->nacked;
		x->send_ms = clock_monotonic_ms() + random_between(RESEND_MS / 2, RESEND_MS);
		if (!x->quiet)
			report_note("the queue is full; trying again");
		if (x->message)
			return false;
		report_error("out of memory");
		x->verdict = STATUS_LOCAL_FAULT;
		return true;
	case AMQP_RETURNED:
		report_error("no queue takes the job; see `facefleet topology --check`");
		x->verdict = STATUS_NO_BROKER;
		return true;
	case AMQP_CONFIRMED:
	case AMQP_ABANDONED:
		break;
	}
	return false;
}

/* True when the exchange is over. */
static bool on_event(struct exchange *x, enum client_event_kind kind, const struct client_event *event)
{
	switch (kind) {
	case CLIENT_REPLY:
		if (strcmp(event->reply->task_id, x->task_id) == 0) {
			x->reply = event->reply;
			return true;
		}
		log_warning(NULL, "ignored the reply to another task", log_string("task_id", event->reply->task_id));
		return false;
	case CLIENT_OUTCOME:
		return on_outcome(x, event);
	case CLIENT_FAULT:
		report_error("%s", event->error->text);
		x->verdict = STATUS_NO_BROKER;
		return true;
	case CLIENT_POSTED:
	case CLIENT_NOTHING:
		break;
	}
	return false;
}

/* What the clock and the signals say. True when the exchange is over. */
static bool on_time(struct exchange *x)
{
	int64_t now = clock_monotonic_ms();
	struct client_health health;

	if (stop_requested()) {
		x->verdict = STATUS_ABORTED;
		return true;
	}
	client_health(x->client, &health);
	if (now >= x->until_ms) {
		if (health.trouble)
			report_error("%s", health.trouble);
		else
			report_error("no reply to task %s in time; does a worker run?", x->task_id);
		x->verdict = health.trouble ? STATUS_NO_BROKER : STATUS_TASK_FAILED;
		return true;
	}
	if (now >= x->hint_ms && !x->quiet) {
		x->hint_ms = INT64_MAX;
		report_note("task %s is waiting: %s", x->task_id,
			    health.trouble ? health.trouble : "does a worker run?");
	}
	return false;
}

static void converse(struct exchange *x)
{
	struct client_event event;

	for (;;) {
		if (x->message && clock_monotonic_ms() >= x->send_ms) {
			struct amqp_message *message = x->message;
			x->message = NULL;
			int r = client_send(x->client, message, &x->ticket, x);
			if (r < 0) {
				report_error("the job cannot be sent: %s", strerror(-r));
				x->verdict = STATUS_NO_BROKER;
				return;
			}
		}
		enum client_event_kind kind = client_next(x->client, POLL_MS, &event);
		if (on_event(x, kind, &event) || on_time(x))
			return;
	}
}

static int write_file(const char *path, const struct buffer *content, struct error *err)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
	bool written = fwrite(content->data, 1, content->size, file) == content->size;
	written = fclose(file) == 0 && written;
	return written ? 0 : error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
}

/* The verdict stands even if the picture fails; the exit status says that it did. */
static bool draw(const struct cli *cli, const struct photographs *photographs, const struct reply *reply)
{
	const struct picture_photo photos[] = {{photographs->a.data, photographs->a.size},
					       {photographs->b.data, photographs->b.size}};
	const struct image_limits limits = {
	    .max_bytes = (size_t)config_integer(cli->config, OPTION_IMAGE_MAX_BYTES),
	    .max_pixels = config_integer(cli->config, OPTION_IMAGE_MAX_PIXELS),
	    .max_side = (int)config_integer(cli->config, OPTION_IMAGE_MAX_SIDE),
	};
	const char *path = args_value(cli->args, "picture");
	struct buffer jpeg = {0};
	struct error err = {0};

	if (!path)
		return true;
	int r = picture_draw(&jpeg, photos, &limits, reply, &err);
	if (r == 0)
		r = write_file(path, &jpeg, &err);
	buffer_finish(&jpeg);
	if (r < 0)
		report_error("%s", err.text);
	return r == 0;
}

static enum exit_status show(const struct cli *cli, const struct photographs *photographs, const struct reply *reply)
{
	struct buffer json = {0};

	if (!args_count(cli->args, "json")) {
		verdict_print(stdout, terminal_of(STDOUT_FILENO), reply);
	} else if (reply_encode(reply, ENCODING_JSON, &json) == 0) {
		printf("%s\n", (const char *)json.data);
	} else {
		report_error("out of memory");
		return STATUS_LOCAL_FAULT;
	}
	buffer_finish(&json);
	if (!draw(cli, photographs, reply))
		return STATUS_LOCAL_FAULT;
	if (reply->state != TASK_SUCCEEDED)
		return STATUS_TASK_FAILED;
	return reply->result.matched ? STATUS_OK : STATUS_DIFFERENT;
}

/* Takes `message` over. */
static enum exit_status exchange(const struct cli *cli, const struct photographs *photographs, const char *scene,
				 struct amqp_message *message, int64_t timeout_ms)
{
	struct client_settings settings = {.config = cli->config, .replies = true, .tickets = 1};
	struct exchange x = {.message = message, .quiet = cli->quiet, .verdict = STATUS_TASK_FAILED};
	struct error err = {0};
	enum exit_status status;

	if (client_open(&x.client, &settings, CONNECT_TIMEOUT_MS, &err) < 0) {
		amqp_message_free(message);
		status = exit_status_of(&err);
		if (status != STATUS_ABORTED)
			report_error("%s", err.text);
		return status;
	}
	job_message_accept(message, scene, client_reply_queue(x.client));
	snprintf(x.task_id, sizeof(x.task_id), "%.36s", message->envelope.message_id);
	x.hint_ms = clock_monotonic_ms() + HINT_MS;
	x.until_ms = clock_monotonic_ms() + timeout_ms;
	converse(&x);
	status = x.reply ? show(cli, photographs, x.reply) : x.verdict;
	amqp_message_free(x.message);
	client_free(x.client);
	return status;
}

static enum exit_status run(const struct cli *cli)
{
	double timeout_s = DEFAULT_TIMEOUT_S;
	struct photographs photographs = {0};
	struct amqp_message *message;
	struct job_args job;
	struct error err = {0};
	enum exit_status status;

	if (cli->args->operand_count != 2)
		return command_usage(&command_match, "match takes two photographs");
	if (job_args_read(&job, cli->args, &err) < 0 ||
	    args_number(cli->args, "timeout", 0.1, MAX_TIMEOUT_S, &timeout_s, &err) < 0)
		return command_usage(&command_match, "%s", err.text);
	if (make_message(&message, &photographs, cli, &job, &err) == 0) {
		status = exchange(cli, &photographs, job.scene, message, (int64_t)(timeout_s * 1000));
	} else {
		report_error("%s", err.text);
		status = exit_status_of(&err);
	}
	buffer_finish(&photographs.a);
	buffer_finish(&photographs.b);
	return status;
}

const struct command command_match = {
    .name = "match",
    .operands = "A B [OPTION...]",
    .summary = "Ask whether two photographs show the same person",
    .text = "A and B are JPEG or PNG files, or http(s) URLs that the worker fetches. Prints the verdict, the\n"
	    "similarity and the threshold it was held against, the face found in each picture (box in pixels)\n"
	    "and how long every stage took.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet match passport.jpg selfie.jpg\n"
	    "  facefleet match --far 1e-4 --policy reject_multiple a.jpg b.jpg\n"
	    "  facefleet match a.jpg b.jpg --picture faces.jpg\n"
	    "  facefleet match --json a.jpg https://example.com/b.jpg | jq .result.similarity\n"
	    "  if facefleet -q match a.jpg b.jpg >/dev/null; then echo welcome; fi\n"
	    "\n"
	    "Exit status: 0 the same person, 1 not the same, 2 usage, 3 the task failed or no reply came,\n"
	    "4 no broker, 5 a fault of this machine, 130 interrupted.\n",
    .options = options,
    .more_options = job_args_options,
    .configured = true,
    .run = run,
};
