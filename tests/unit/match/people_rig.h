#ifndef TESTS_PEOPLE_RIG_H
#define TESTS_PEOPLE_RIG_H

#include "base/buffer.h"
#include "matcher.h"
#include "registry.h"
#include "scratch_store.h"

/** A matcher on a registry on a store in a file, with the built-in set and photographs of two people. */
enum { RIG_ADA, RIG_ADA_AGAIN, RIG_BOB, RIG_PHOTOS };

struct people_rig {
	struct modelset *models; /**< loaded once, by people_rig_begin() */
	struct buffer photos[RIG_PHOTOS];
	struct scratch_store scratch;
	struct metrics *metrics;
	struct registry *registry;
	struct matcher *matcher;
	_Atomic uint64_t announced; /**< the newest version that a change was announced with */
};

/** For all tests: what is slow to load, and what goes with it. */
void people_rig_begin(struct people_rig *rig);
void people_rig_end(struct people_rig *rig);

/** For each test: an empty store. people_rig_start() then makes registry and matcher; it may be stopped and started. */
void people_rig_set_up(struct people_rig *rig);
void people_rig_tear_down(struct people_rig *rig);
void people_rig_start(struct people_rig *rig, const struct quality_limits *limits, size_t large_gallery_bytes);
void people_rig_stop(struct people_rig *rig);

/** A job of that op with a photograph (RIG_ADA …; -1: none). */
struct job people_rig_job(const struct people_rig *rig, enum job_op op, const char *user_id, int photo);

/** Runs a job as the command of that number: accepted at that moment, under an id that follows from it. */
enum error_code people_rig_run(struct people_rig *rig, const struct job *job, unsigned number, struct reply *reply);

/** Waits until the galleries have what was announced. */
void people_rig_catch_up(struct people_rig *rig);

#endif
