#include "run.h"

#include "scratch_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/people.h"

void scratch_store_init_bare(struct scratch_store *scratch)
{
	*scratch = (struct scratch_store){.folder = "/tmp/facefleet-match-XXXXXX"};
	assert_non_null(mkdtemp(scratch->folder));
	snprintf(scratch->url, sizeof(scratch->url), "sqlite:%s/store.db", scratch->folder);
	scratch->settings = (struct store_settings){.url = scratch->url, .timeout_ms = 20000};
}

void scratch_store_migrate(struct scratch_store *scratch)
{
	struct error err = {0};

	if (store_migrate(&scratch->settings, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

void scratch_store_init(struct scratch_store *scratch)
{
	scratch_store_init_bare(scratch);
	scratch_store_migrate(scratch);
}

void scratch_store_finish(struct scratch_store *scratch)
{
	static const char *const files[] = {"", "-wal", "-shm"};
	char path[128];

	for (size_t i = 0; i < array_size(files); i++) {
		snprintf(path, sizeof(path), "%s/store.db%s", scratch->folder, files[i]);
		unlink(path);
	}
	rmdir(scratch->folder);
}

static struct people_command command(unsigned number, char id[UUID_SIZE])
{
	snprintf(id, UUID_SIZE, "00000000-0000-7000-8000-%012x", number);
	return (struct people_command){.accepted_ms = 1000 + number, .id = id};
}

void scratch_store_enroll(struct store *store, const char *collection, const char *user_id, unsigned number,
			  const char *model_id, int dimension)
{
	char id[UUID_SIZE];
	float *embedding = calloc((size_t)dimension, sizeof(float));
	struct error err = {0};
	enum people_outcome outcome;
	uint64_t version;

	assert_non_null(embedding);
	embedding[number % (unsigned)dimension] = 1;
	const struct people_enrolment enrolment = {
	    .collection = collection,
	    .user_id = user_id,
	    .command = command(number, id),
	    .model_id = model_id,
	    .embedding = embedding,
	    .dimension = dimension,
	};
	if (people_enroll(store, &enrolment, &outcome, &version, &err) < 0)
		fail_msg("%s", err.text);
	free(embedding);
}

void scratch_store_unenroll(struct store *store, const char *collection, const char *user_id, unsigned number)
{
	char id[UUID_SIZE];
	const struct people_command by = command(number, id);
	struct error err = {0};
	unsigned removed;
	uint64_t version;

	if (people_unenroll(store, collection, user_id, &by, &removed, &version, &err) < 0)
		fail_msg("%s", err.text);
}
