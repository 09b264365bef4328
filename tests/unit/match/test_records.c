#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "obs/log.h"
#include "records.h"
#include "scratch_store.h"
#include "store/tasks.h"

#define ID "01890a5d-ac96-774b-bcce-b302099a8057"
#define OTHER_ID "01890a5d-ac96-774b-bcce-b302099a8058"

static struct scratch_store scratch;
static struct records *records;

static int set_up(void **state)
{
	(void)state;
	log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
	scratch_store_init(&scratch);
	records = records_new(&scratch.settings);
	return records ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	records_free(records);
	scratch_store_finish(&scratch);
	return 0;
}

static struct buffer reply_of(const char *task_id)
{
	struct buffer body = {0};
	struct reply reply;

	reply_init(&reply, task_id, NULL);
	reply.state = TASK_SUCCEEDED;
	reply.attempt = 2;
	strcpy(reply.worker, "who did it");
	reply.result.present = true;
	reply.result.has_match = true;
	reply.result.similarity = 0.75;
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &body), 0);
	return body;
}

static void record(enum task_state at, const char *reply_about)
{
	struct buffer body = reply_of(reply_about);
	const struct task_change change = {
	    .task_id = ID,
	    .state = at,
	    .attempt = 2,
	    .at_ms = 1000,
	    .worker = "who did it",
	    .error_code = "",
	    .error_text = "",
	    .reply = at == TASK_SUCCEEDED ? body.data : NULL,
	    .reply_size = at == TASK_SUCCEEDED ? body.size : 0,
	    .op = "match",
	    .scene = "batch",
	    .user_id = "",
	    .collection = "",
	    .reference = "",
	    .owner = "",
	};
	struct store *store;
	struct error err = {0};

	assert_int_equal(store_open(&store, &scratch.settings, &err), 0);
	assert_int_equal(tasks_apply(store, &change, 1, NULL, &err), 0);
	store_close(store);
	buffer_finish(&body);
}

static void what_has_ended_is_found_with_its_reply(void **state)
{
	struct reply reply;

	(void)state;
	record(TASK_SUCCEEDED, ID);
	assert_true(records_find(records, ID, &reply));
	assert_string_equal(reply.task_id, ID);
	assert_string_equal(reply.worker, "who did it");
	assert_int_equal(reply.state, TASK_SUCCEEDED);
	assert_int_equal(reply.attempt, 2);
	assert_true(reply.result.similarity == 0.75);
	reply_finish(&reply);
	assert_false(records_find(records, OTHER_ID, &reply));
}

static void what_still_runs_is_not_found(void **state)
{
	struct reply reply;

	(void)state;
	record(TASK_RUNNING, ID);
	assert_false(records_find(records, ID, &reply));
}

static void a_reply_about_another_task_is_not_used(void **state)
{
	struct reply reply;

	(void)state;
	record(TASK_SUCCEEDED, OTHER_ID);
	assert_false(records_find(records, ID, &reply));
}

/* It knows nothing, and is not asked again at once: not even when it is there again. */
static void a_store_that_is_away_is_left_in_peace(void **state)
{
	struct reply reply;
	const char *path = scratch.url + strlen("sqlite:");
	char moved[128];

	(void)state;
	record(TASK_SUCCEEDED, ID);
	snprintf(moved, sizeof(moved), "%s.away", path);
	assert_int_equal(rename(path, moved), 0);
	assert_false(records_find(records, ID, &reply));
	unlink(path);
	assert_int_equal(rename(moved, path), 0);
	assert_false(records_find(records, ID, &reply));

	records_free(records);
	records = records_new(&scratch.settings);
	assert_true(records_find(records, ID, &reply));
	reply_finish(&reply);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(what_has_ended_is_found_with_its_reply),
    CASE(what_still_runs_is_not_found),
    CASE(a_reply_about_another_task_is_not_used),
    CASE(a_store_that_is_away_is_left_in_peace),
};

RUN_TESTS(tests)
