/*
 * Tasks in a store as the tracker records them: COUNT tasks of two messages each (running, succeeded with a reply of
 * 600 bytes), shuffled a little, in batches of BATCH.
 * usage: bench_tasks_store URL COUNT BATCH (the store should be empty)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "store/tasks.h"

#define REPLY_BYTES 600
/* How many other tasks' messages come between the two of one. */
#define APART 200

static double seconds_since(int64_t start)
{
	return (double)(clock_monotonic_ns() - start) / 1e9;
}

static struct task_change message(char (*ids)[UUID_SIZE], unsigned long count, unsigned long number,
				  const uint8_t reply[REPLY_BYTES])
{
	/* Round by round: APART tasks begin, then the same end. */
	unsigned long round = number / (2 * APART);
	unsigned long place = number % (2 * APART);
	unsigned long task = round * APART + place % APART;
	bool ends = place >= APART;

	return (struct task_change){
	    .task_id = ids[task < count ? task : count - 1],
	    .state = ends ? TASK_SUCCEEDED : TASK_RUNNING,
	    .attempt = 1,
	    .at_ms = clock_unix_ms(),
	    .worker = "worker-1@host",
	    .reply = ends ? reply : NULL,
	    .reply_size = ends ? REPLY_BYTES : 0,
	    .op = "match",
	    .scene = "batch",
	    .user_id = "",
	    .reference = "row-12345",
	    .owner = "0123456789abcdef",
	    .accepted_at_ms = clock_unix_ms(),
	    .deadline_ms = clock_unix_ms() + 86400000,
	};
}

static int run(struct store *store, unsigned long count, unsigned batch, struct error *err)
{
	static uint8_t reply[REPLY_BYTES];
	char(*ids)[UUID_SIZE] = calloc(count, sizeof(*ids));
	struct task_change *changes = calloc(batch, sizeof(*changes));
	int64_t start = clock_monotonic_ns();
	int64_t longest = 0;
	int r = 0;

	memset(reply, 'x', sizeof(reply));
	for (unsigned long i = 0; ids && i < count; i++)
		uuid_v7(ids[i]);
	for (unsigned long done = 0; ids && changes && r == 0 && done < 2 * count;) {
		unsigned some = batch < 2 * count - done ? batch : (unsigned)(2 * count - done);
		int64_t before = clock_monotonic_ns();

		for (unsigned i = 0; i < some; i++)
			changes[i] = message(ids, count, done + i, reply);
		r = tasks_apply(store, changes, some, NULL, err);
		int64_t took = clock_monotonic_ns() - before;
		longest = took > longest ? took : longest;
		done += some;
	}
	if (r == 0)
		printf("%10.0f messages a second in batches of %u (longest %.1f ms)\n",
		       2 * (double)count / seconds_since(start), batch, (double)longest / 1e6);
	free(ids);
	free(changes);
	return r;
}

int main(int argc, char **argv)
{
	struct error err = {0};
	struct store *store = NULL;

	if (argc != 4 || atol(argv[2]) < 1 || atoi(argv[3]) < 1) {
		fprintf(stderr, "usage: bench_tasks_store URL COUNT BATCH\n");
		return 2;
	}
	const struct store_settings settings = {.url = argv[1], .timeout_ms = 60000};
	int r = store_migrate(&settings, NULL, NULL, &err);
	if (r == 0)
		r = store_open(&store, &settings, &err);
	if (r == 0)
		r = run(store, (unsigned long)atol(argv[2]), (unsigned)atoi(argv[3]), &err);
	store_close(store);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	return r < 0;
}
