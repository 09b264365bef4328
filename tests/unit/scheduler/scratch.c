#include "../run.h"

#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int scratch_set_up(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));
	struct error err = {0};

	assert_non_null(scratch);
	strcpy(scratch->folder, "/tmp/facefleet-scheduler-XXXXXX");
	assert_non_null(mkdtemp(scratch->folder));
	snprintf(scratch->url, sizeof(scratch->url), "sqlite:%s/store.db", scratch->folder);
	const struct store_settings settings = {.url = scratch->url};
	if (store_migrate(&settings, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	scratch->store = scratch_open(scratch);
	*state = scratch;
	return 0;
}

int scratch_tear_down(void **state)
{
	static const char *const files[] = {"", "-wal", "-shm"};
	struct scratch *scratch = *state;
	char path[128];

	store_close(scratch->store);
	for (size_t i = 0; i < array_size(files); i++) {
		snprintf(path, sizeof(path), "%s/store.db%s", scratch->folder, files[i]);
		unlink(path);
	}
	rmdir(scratch->folder);
	free(scratch);
	return 0;
}

struct store *scratch_open(const struct scratch *scratch)
{
	const struct store_settings settings = {.url = scratch->url};
	struct error err = {0};
	struct store *store;

	if (store_open(&store, &settings, &err) < 0)
		fail_msg("%s", err.text);
	return store;
}

void scratch_add(struct store *store, unsigned number, int64_t due_ms, int64_t every_ms, enum misfire misfire)
{
	struct schedule s = {
	    .name = "",
	    .owner = "",
	    .op = "unenroll",
	    .scene = "batch",
	    .user_id = "ann",
	    .collection = "default",
	    .cron = "",
	    .time_zone = "",
	    .every_ms = every_ms,
	    .misfire = misfire,
	    .due_ms = due_ms,
	    .job = (const uint8_t *)"\x80",
	    .job_size = 1,
	};
	struct error err = {0};
	bool inserted;

	snprintf(s.schedule_id, UUID_SIZE, "00000000-0000-7000-8000-%012x", number);
	if (schedules_add(store, &s, &inserted, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(inserted);
}

unsigned scratch_number(const char *schedule_id)
{
	return (unsigned)strtoul(schedule_id + 24, NULL, 16);
}
