#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amqp/settings.h"
#include "base/clock.h"
#include "base/stop.h"
#include "cli/commands/command.h"
#include "cli/output/report.h"
#include "cli/output/screen.h"
#include "cli/watch/top_view.h"
#include "cli/watch/traffic.h"

#define CONNECT_TIMEOUT_MS 5000
/* Shows somebody who is silent for so long. */
#define SILENCE_MS 60000
/* The first picture comes as soon as workers had time to answer. */
#define FIRST_MS 500

static const struct arg_option options[] = {
    {"interval", 'i', "S", "Seconds from one picture to the next, 0.2 to 60; 2 without it."},
    {"window", 0, "S", "Seconds that rates, latencies and errors are about, 1 to 600; 10 without it."},
    {0},
};

/* What is watched, and what was seen last. */
struct top {
	int64_t interval_ms;
	int64_t window_ms;
	struct amqp_depths *depths;
	struct traffic *traffic;
	struct muster *muster;
	struct amqp_depth *before; /* a copy; NULL at first */
	int64_t before_ms;
	struct error trouble;
};

static int open_depths(struct top *top, const struct config *config, struct error *err)
{
	struct amqp_link_settings link = {0};
	struct amqp_url *url = calloc(1, sizeof(*url));

	if (!url)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	int r = amqp_settings_from_config(url, &link, config, err);
	if (r == 0) {
		top->depths = amqp_depths_new(url, TOPOLOGY_ALL);
		r = top->depths ? 0 : error_set(err, ERROR_INTERNAL, "out of memory");
	}
	free(url);
	return r;
}

static int open_all(struct top *top, const struct config *config, struct error *err)
{
	int r = open_depths(top, config, err);

	if (r == 0)
		r = muster_open(&top->muster, config, CONNECT_TIMEOUT_MS, err);
	if (r == 0)
		r = traffic_open(&top->traffic, config, CONNECT_TIMEOUT_MS, err);
	return r;
}

static void close_all(struct top *top)
{
	traffic_free(top->traffic);
	muster_free(top->muster);
	amqp_depths_free(top->depths);
	free(top->before);
}

/* Keeps what was seen for the next difference. Without memory there is none. */
static void remember(struct top *top, const struct amqp_depth *depths, unsigned count, int64_t now)
{
	if (!top->before)
		top->before = calloc(count, sizeof(*top->before));
	if (!top->before)
		return;
	memcpy(top->before, depths, count * sizeof(*depths));
	top->before_ms = now;
}

/* Fills in the queues; the view points into `top` and its depths. */
static void look_at_queues(struct top *top, struct top_view *view, struct amqp_depth *before)
{
	int64_t now = clock_monotonic_ms();

	error_clear(&top->trouble);
	if (amqp_depths_read(top->depths, &view->depths, &view->queue_count, &top->trouble) < 0) {
		view->queue_count = 0;
		view->trouble = top->trouble.text;
		return;
	}
	if (top->before && before) {
		memcpy(before, top->before, view->queue_count * sizeof(*before));
		view->before = before;
		view->elapsed_ms = now - top->before_ms;
	}
	remember(top, view->depths, view->queue_count, now);
}

/* One picture as text; free() it. NULL when memory is out. */
static char *picture(struct top *top, struct terminal terminal)
{
	struct top_view view = {.unix_ms = clock_unix_ms()};
	struct amqp_depth *before = calloc(AMQP_DEPTHS_MOST, sizeof(*before));
	struct muster_member *workers = NULL;
	char *text = NULL;
	size_t size;

	look_at_queues(top, &view, before);
	traffic_summarise(top->traffic, top->window_ms, &view.tasks);
	int r = muster_list(top->muster, SILENCE_MS, &workers, &view.worker_count);
	view.workers = workers;
	FILE *out = r == 0 ? open_memstream(&text, &size) : NULL;
	if (out) {
		r = top_view_print(&view, out, terminal);
		if (fclose(out) != 0 || r < 0) {
			free(text);
			text = NULL;
		}
	}
	free(workers);
	free(before);
	return text;
}

static enum exit_status watch(struct top *top, struct screen *screen)
{
	struct terminal terminal = terminal_of(STDOUT_FILENO);
	enum screen_event event = SCREEN_TIME;

	for (int64_t wait_ms = FIRST_MS; event != SCREEN_QUIT; wait_ms = top->interval_ms) {
		char *text = muster_call(top->muster) == 0 ? picture(top, terminal) : NULL;
		if (!text)
			return STATUS_LOCAL_FAULT;
		screen_draw(screen, text);
		free(text);
		event = screen_wait(screen, wait_ms < top->interval_ms ? wait_ms : top->interval_ms);
	}
	return stop_requested() ? STATUS_ABORTED : STATUS_OK;
}

/* Without a terminal: one picture, of what can be seen within an interval. */
static enum exit_status print_once(struct top *top)
{
	struct top_view first = {0};

	look_at_queues(top, &first, NULL);
	if (muster_call(top->muster) < 0)
		return STATUS_LOCAL_FAULT;
	if (stop_wait(0, top->interval_ms) > 0)
		return STATUS_ABORTED;
	char *text = picture(top, terminal_of(STDOUT_FILENO));
	if (!text)
		return STATUS_LOCAL_FAULT;
	fputs(text, stdout);
	free(text);
	return error_is_set(&top->trouble) ? exit_status_of(&top->trouble) : STATUS_OK;
}

static enum exit_status show(struct top *top)
{
	struct screen *screen = screen_open();
	enum exit_status status = screen ? watch(top, screen) : print_once(top);

	screen_close(screen);
	if (status == STATUS_LOCAL_FAULT)
		report_error("out of memory");
	return status;
}

static enum exit_status run(const struct cli *cli)
{
	struct top top = {0};
	double interval = 2;
	double window = 10;
	struct error err = {0};

	if (cli->args->operand_count > 0)
		return command_usage(&command_top, "top takes no operand");
	if (args_number(cli->args, "interval", 0.2, 60, &interval, &err) < 0 ||
	    args_number(cli->args, "window", 1, 600, &window, &err) < 0)
		return command_usage(&command_top, "%s", err.text);
	top.interval_ms = (int64_t)(interval * 1000);
	top.window_ms = (int64_t)(window * 1000);
	enum exit_status status = open_all(&top, cli->config, &err) < 0 ? report_failure(&err) : show(&top);
	close_all(&top);
	return status;
}

const struct command command_top = {
    .name = "top",
    .operands = "[--interval S] [--window S]",
    .summary = "Watch the fleet: queues, rates, latencies, errors, workers",
    .text = "Shows how many messages wait in each queue and how that changes, how many tasks end a second and how,\n"
	    "how long they took from acceptance to reply, the errors, and every worker. Draws it anew until q is\n"
	    "pressed; without a terminal prints it once. It only listens: nothing is taken from anybody.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet top\n"
	    "  facefleet top --interval 10 --window 60 | mail -s fleet operators\n"
	    "\n"
	    "Exit status: 0 done, 2 usage or settings, 4 no broker, 5 a fault of this machine, 130 interrupted.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
