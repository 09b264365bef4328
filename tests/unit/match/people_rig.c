#include "run.h"

#include "people_rig.h"

#include <stdatomic.h>
#include <stdio.h>

#include "wait.h"

static const char *const photo_names[] = {"person01_1.jpg", "person01_2.jpg", "person02_1.jpg"};

void people_rig_begin(struct people_rig *rig)
{
	static const char root[] = SOURCE_ROOT;
	char detector[4096], embedder[4096], photo[4096];
	struct error err = {0};

	snprintf(detector, sizeof(detector), "%s/deploy/models/default/detector", root);
	snprintf(embedder, sizeof(embedder), "%s/deploy/models/default/embedder", root);
	if (modelset_load(&rig->models, detector, embedder, &err) < 0)
		fail_msg("%s", err.text);
	for (int i = 0; i < RIG_PHOTOS; i++) {
		snprintf(photo, sizeof(photo), "%s/tests/data/people/%s", root, photo_names[i]);
		if (buffer_read_file(&rig->photos[i], photo, 1 << 20, &err) < 0)
			fail_msg("%s", err.text);
	}
}

void people_rig_end(struct people_rig *rig)
{
	for (int i = 0; i < RIG_PHOTOS; i++)
		buffer_finish(&rig->photos[i]);
	modelset_free(rig->models);
}

void people_rig_set_up(struct people_rig *rig)
{
	atomic_store(&rig->announced, 0);
	scratch_store_init(&rig->scratch);
	rig->metrics = metrics_new();
}

void people_rig_tear_down(struct people_rig *rig)
{
	people_rig_stop(rig);
	metrics_free(rig->metrics);
	scratch_store_finish(&rig->scratch);
}

static void on_announce(void *arg, uint64_t version)
{
	struct people_rig *rig = arg;

	atomic_store(&rig->announced, version);
}

void people_rig_start(struct people_rig *rig, const struct quality_limits *limits, size_t large_gallery_bytes)
{
	struct error err = {0};
	const struct registry_settings settings = {
	    .store = rig->scratch.settings,
	    .poll_ms = 600000,
	    .large_gallery_bytes = large_gallery_bytes,
	    .cache_bytes = 1 << 20,
	    .models = rig->models,
	    .metrics = rig->metrics,
	    .announce = on_announce,
	    .arg = rig,
	};
	if (registry_start(&rig->registry, &settings, &err) < 0)
		fail_msg("%s", err.text);
	const struct matcher_settings matching = {
	    .models = rig->models,
	    .limits = {.max_bytes = 1 << 20, .max_pixels = 1000000, .max_side = 4000},
	    .rules = {.min_threshold = -1, .enrolment = *limits, .portraits = true},
	    .people = registry_desk(rig->registry),
	};
	if (matcher_new(&rig->matcher, &matching, &err) < 0)
		fail_msg("%s", err.text);
}

void people_rig_stop(struct people_rig *rig)
{
	matcher_free(rig->matcher);
	registry_stop(rig->registry);
	rig->matcher = NULL;
	rig->registry = NULL;
}

struct job people_rig_job(const struct people_rig *rig, enum job_op op, const char *user_id, int photo)
{
	struct job job;

	job_init(&job, op);
	job.user_id = user_id;
	if (photo >= 0)
		job.image_a = (struct job_image){.data = rig->photos[photo].data, .size = rig->photos[photo].size};
	return job;
}

enum error_code people_rig_run(struct people_rig *rig, const struct job *job, unsigned number, struct reply *reply)
{
	struct error err = {0};
	char id[UUID_SIZE];

	snprintf(id, sizeof(id), "00000000-0000-7000-8000-%012x", number);
	reply_init(reply, id, job);
	timings_init(&reply->timings);
	reply->accepted_at_ms = 1000 + number;
	return matcher_run(rig->matcher, NULL, job, reply, &err) < 0 ? err.code : ERROR_NONE;
}

void people_rig_catch_up(struct people_rig *rig)
{
	struct galleries *galleries = registry_desk(rig->registry)->galleries;

	WAIT_UNTIL(galleries_version(galleries) >= atomic_load(&rig->announced));
}
