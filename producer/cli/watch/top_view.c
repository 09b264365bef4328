#include "cli/watch/top_view.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "cli/output/escape.h"
#include "cli/output/table.h"
#include "cli/watch/worker_row.h"

#define RETRY_PREFIX "facefleet.retry."

static const struct table_column columns[] = {
    {.head = "queue"},
    {.head = "ready", .right = true},
    {.head = "change/s", .right = true},
    {.head = "consumers", .right = true},
};

static bool is_shown(const struct amqp_depth *depth)
{
	bool retry = strncmp(depth->queue, RETRY_PREFIX, strlen(RETRY_PREFIX)) == 0;

	return depth->exists && (!retry || depth->ready > 0);
}

static void add_queue(struct table *table, const struct top_view *view, unsigned i)
{
	const struct amqp_depth *depth = &view->depths[i];

	table_add_text(table, depth->queue);
	table_add(table, "%" PRIu32, depth->ready);
	if (view->before && view->before[i].exists && view->elapsed_ms > 0)
		table_add(table, "%+.1f",
			  1000.0 * ((double)depth->ready - view->before[i].ready) / (double)view->elapsed_ms);
	else
		table_add_text(table, "");
	table_add(table, "%" PRIu32, depth->consumers);
}

static int print_queues(const struct top_view *view, FILE *out, struct terminal terminal)
{
	struct table table;
	int r = 0;

	table_init(&table, columns, array_size(columns));
	for (unsigned i = 0; i < view->queue_count; i++)
		if (is_shown(&view->depths[i]))
			add_queue(&table, view, i);
	if (table_rows(&table) > 0 || table.failed)
		r = table_print(&table, out, terminal);
	else
		fputs("No queue of facefleet is on this broker.\n", out);
	table_finish(&table);
	return r;
}

static double rate(unsigned count, int64_t span_ms)
{
	return span_ms > 0 ? 1000.0 * count / (double)span_ms : 0;
}

static void print_tasks(const struct recent_summary *tasks, FILE *out, struct terminal terminal)
{
	fprintf(out, "%stasks/s%s     %.1f succeeded   %s%.1f failed%s   %.1f retried   %s(last %.0f s)%s\n",
		terminal_dim(terminal), terminal_plain(terminal), rate(tasks->succeeded, tasks->span_ms),
		tasks->failed > 0 ? terminal_bad(terminal) : "", rate(tasks->failed, tasks->span_ms),
		terminal_plain(terminal), rate(tasks->retried, tasks->span_ms), terminal_dim(terminal),
		(double)tasks->span_ms / 1000, terminal_plain(terminal));
	fprintf(out, "%stotal%s       ", terminal_dim(terminal), terminal_plain(terminal));
	if (tasks->timed > 0)
		fprintf(out, "p50 %.1f ms   p99 %.1f ms   of %u\n", tasks->p50_ms, tasks->p99_ms, tasks->timed);
	else
		fputs("-\n", out);
	fprintf(out, "%serrors%s     ", terminal_dim(terminal), terminal_plain(terminal));
	for (unsigned i = 0; i < tasks->error_count; i++)
		fprintf(out, " %s %u  ", error_code_name(tasks->errors[i].code), tasks->errors[i].count);
	fputs(tasks->error_count > 0 ? "\n" : " -\n", out);
}

static void print_head(const struct top_view *view, FILE *out, struct terminal terminal)
{
	char now[CLOCK_RFC3339_SIZE];
	char shown[ESCAPE_SIZE];

	clock_format_rfc3339(view->unix_ms, now);
	fprintf(out, "facefleet   %s   %zu worker%s\n", now, view->worker_count, view->worker_count == 1 ? "" : "s");
	if (view->trouble)
		fprintf(out, "%s%s%s\n", terminal_bad(terminal), escape_text(view->trouble, shown, sizeof(shown)),
			terminal_plain(terminal));
	fputc('\n', out);
}

int top_view_print(const struct top_view *view, FILE *out, struct terminal terminal)
{
	print_head(view, out, terminal);
	int r = print_queues(view, out, terminal);
	fputc('\n', out);
	print_tasks(&view->tasks, out, terminal);
	fputc('\n', out);
	if (r == 0 && view->worker_count > 0)
		r = worker_rows_text(view->workers, view->worker_count, out, terminal);
	else if (r == 0)
		fputs("No worker answers.\n", out);
	return r;
}
