#include "cli/watch/worker_row.h"

#include <inttypes.h>
#include <jansson.h>

#include "cli/output/json_row.h"
#include "cli/output/table.h"

static const struct table_column columns[] = {
    {.head = "host", .most = 32},       {.head = "worker", .most = 40},
    {.head = "version", .most = 16},    {.head = "model", .most = 32},
    {.head = "threads", .right = true}, {.head = "in hand", .right = true},
    {.head = "tasks/s", .right = true}, {.head = "tasks", .right = true},
    {.head = "MiB", .right = true},     {.head = "up since"},
    {.head = "seen", .right = true},
};

static void add(struct table *table, const struct muster_member *member)
{
	const struct heartbeat *beat = &member->beat;

	table_add_text(table, beat->host);
	table_add_text(table, beat->worker);
	table_add_text(table, beat->version);
	table_add_text(table, beat->model);
	table_add(table, "%d", beat->threads);
	table_add(table, "%d", beat->in_hand);
	table_add(table, "%.1f", beat->rate);
	table_add(table, "%" PRId64, beat->tasks);
	table_add(table, "%" PRId64, beat->rss_bytes >> 20);
	table_add_time(table, beat->started_at_ms);
	table_add(table, "%.1f s", (double)member->age_ms / 1000);
}

int worker_rows_text(const struct muster_member *members, size_t count, FILE *out, struct terminal terminal)
{
	struct table table;

	table_init(&table, columns, array_size(columns));
	for (size_t i = 0; i < count; i++)
		add(&table, &members[i]);
	int r = table_print(&table, out, terminal);
	table_finish(&table);
	return r;
}

int worker_row_json(const struct muster_member *member, FILE *out)
{
	const struct heartbeat *b = &member->beat;
	json_t *row =
	    json_pack("{s:s, s:s, s:I, s:s, s:s, s:i, s:i, s:f, s:I, s:I, s:o, s:o, s:f}", "worker", b->worker, "host",
		      b->host, "pid", (json_int_t)b->pid, "program_version", b->version, "model", b->model, "threads",
		      b->threads, "in_hand", b->in_hand, "rate", b->rate, "tasks", (json_int_t)b->tasks, "rss_bytes",
		      (json_int_t)b->rss_bytes, "started_at", json_row_time(b->started_at_ms), "at",
		      json_row_time(b->at_ms), "seen_s", (double)member->age_ms / 1000);

	return json_row_print(row, false, out);
}
