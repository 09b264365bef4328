/* The test's own program is the process that looks at photographs; the job's reference says how it goes wrong. */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "people_rig.h"
#include "quarantine.h"
#include "quarantine_child.h"
#include "quarantine_process.h"
#include "quarantine_request.h"

#define LIMITS                                                                                                         \
	{                                                                                                              \
		.max_bytes = 1 << 20, .max_pixels = 1000000, .max_side = 4000                                          \
	}

/* ---- the process ---- */

static bool is_asked_to(const struct quarantine_request *request, const char *what)
{
	return strcmp(request->job.reference, what) == 0;
}

static void say(const char *text, size_t size)
{
	if (write(STDOUT_FILENO, text, size) < 0)
		exit(90);
}

static _Noreturn void die(int number)
{
	signal(number, SIG_DFL);
	raise(number);
	for (;;)
		pause();
}

/* What the settings, a descriptor or the environment must not tell; 0 when all is well. */
static int search_for_leaks(void)
{
	return getenv("FACEFLEET_STORE_URL") != NULL || getenv("NOTIFY_SOCKET") != NULL ||
	       fcntl(STDERR_FILENO + 1, F_GETFD) >= 0;
}

static int be_the_process(char **argv)
{
	struct quarantine_request request;

	if (quarantine_request_read(STDIN_FILENO, &request) < 0)
		return 91;
	if (is_asked_to(&request, "look"))
		return quarantine_child(argv);
	if (is_asked_to(&request, "never start"))
		return 1;
	say("R", 1);
	if (is_asked_to(&request, "crash"))
		die(SIGSEGV);
	if (is_asked_to(&request, "leaks"))
		return 70 + search_for_leaks();
	if (is_asked_to(&request, "nonsense"))
		say("\x10\0\0\0no answer at all", 20);
	if (is_asked_to(&request, "stopped with the program"))
		kill(getpid(), SIGTERM);
	while (is_asked_to(&request, "hang"))
		pause();
	while (is_asked_to(&request, "chatter"))
		say("chatter chatter ", 16);
	return 0;
}

/* ---- the tests ---- */

static struct people_rig rig;
static char detector[4096], embedder[4096];
static struct sightings *seen;

static int set_up_all(void **state)
{
	static const char root[] = SOURCE_ROOT;

	(void)state;
	people_rig_begin(&rig);
	snprintf(detector, sizeof(detector), "%s/deploy/models/default/detector", root);
	snprintf(embedder, sizeof(embedder), "%s/deploy/models/default/embedder", root);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	people_rig_end(&rig);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	seen = calloc(1, sizeof(*seen));
	return seen ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	sightings_finish(seen);
	free(seen);
	return 0;
}

static struct job job_of(enum job_op op, const char *reference)
{
	struct job job = people_rig_job(&rig, op, "ada", RIG_ADA);

	job.reference = reference;
	if (op == JOB_MATCH)
		job.image_b = (struct job_image){.data = rig.photos[RIG_BOB].data, .size = rig.photos[RIG_BOB].size};
	return job;
}

static int look_at(const struct job *job, struct context *ctx, struct error *err)
{
	const struct quarantine_settings settings = {
	    .detector = detector,
	    .embedder = embedder,
	    .limits = LIMITS,
	    .dimension = rig.models->embedder.dimension,
	};

	return quarantine_look(&settings, ctx, job, seen, err);
}

static int look(enum job_op op, const char *reference, struct context *ctx, struct error *err)
{
	const struct job job = job_of(op, reference);

	error_clear(err);
	return look_at(&job, ctx, err);
}

/* The same to the last bit as in this process. */
static void what_is_found_is_what_a_matcher_finds(void **state)
{
	const struct matcher_settings settings = {.models = rig.models, .limits = LIMITS, .rules.min_threshold = -1};
	const struct job job = job_of(JOB_MATCH, "look");
	struct reply here, there;
	struct matcher *matcher;
	struct context ctx = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(matcher_new(&matcher, &settings, &err), 0);
	reply_init(&here, "", &job);
	reply_init(&there, "", &job);
	assert_int_equal(matcher_run(matcher, NULL, &job, &here, &err), 0);
	if (look_at(&job, &ctx, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(matcher_run_seen(matcher, &ctx, &job, seen, &there, &err), 0);
	assert_true(there.result.similarity == here.result.similarity);
	assert_memory_equal(&there.result.face_b, &here.result.face_b, sizeof(here.result.face_b));
	assert_true(there.timings.ms[STAGE_DECODE] >= 0 && there.timings.ms[STAGE_EMBED] >= 0);
	assert_string_equal(there.model, here.model);
	matcher_free(matcher);
}

static void a_photograph_is_refused_as_usual(void **state)
{
	struct job job = job_of(JOB_MATCH, "look");
	struct context ctx = {0};
	struct error err = {0};

	(void)state;
	job.image_b = (struct job_image){.data = (const uint8_t *)"no picture", .size = 10};
	assert_int_equal(look_at(&job, &ctx, &err), 0);
	assert_int_equal(seen->error.code, ERROR_IMAGE_UNSUPPORTED);
	assert_int_equal(seen->error.image, 'b');
}

static void an_enrolment_has_its_portrait(void **state)
{
	struct context ctx = {0};
	struct error err;

	(void)state;
	assert_int_equal(look(JOB_ENROLL, "look", &ctx, &err), 0);
	assert_int_equal(seen->error.code, ERROR_NONE);
	assert_true(seen->portrait.size > 1000);
	assert_true(seen->quality.eye_distance > 10);
}

static void what_dies_names_its_signal(void **state)
{
	struct context ctx = {0};
	struct error err;

	(void)state;
	assert_int_equal(look(JOB_MATCH, "crash", &ctx, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_POISON);
	assert_non_null(strstr(err.text, "SIGSEGV"));
	assert_string_equal(err.measure, "signal");
	assert_true(err.value == SIGSEGV);
}

static void what_says_nothing_or_nonsense_is_poison(void **state)
{
	static const char *const references[] = {"silent", "nonsense", "chatter"};
	struct context ctx = {0};
	struct error err;

	(void)state;
	for (size_t i = 0; i < array_size(references); i++) {
		assert_int_equal(look(JOB_MATCH, references[i], &ctx, &err), -EBADMSG);
		assert_int_equal(err.code, ERROR_POISON);
	}
}

static void what_does_not_start_is_not_the_jobs_fault(void **state)
{
	struct context ctx = {0};
	struct error err;

	(void)state;
	assert_int_equal(look(JOB_MATCH, "never start", &ctx, &err), -EAGAIN);
	assert_int_equal(err.code, ERROR_INTERNAL);
}

static void the_attempt_ends_in_time(void **state)
{
	struct context ctx = {.attempt_deadline_ms = clock_monotonic_ms() + 50};
	struct error err;

	(void)state;
	assert_int_equal(look(JOB_MATCH, "hang", &ctx, &err), -EAGAIN);
	assert_int_equal(err.code, ERROR_ATTEMPT_TIMEOUT);
	assert_int_equal(err.class, ERROR_CLASS_RETRY);

	ctx = (struct context){.deadline_ms = clock_monotonic_ms() + 50};
	assert_int_equal(look(JOB_MATCH, "hang", &ctx, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_DEADLINE_EXCEEDED);
}

static void a_cancelled_job_is_let_go(void **state)
{
	struct context ctx = {0};
	struct error err;

	(void)state;
	context_cancel(&ctx);
	assert_int_equal(look(JOB_MATCH, "hang", &ctx, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_CANCELLED);
}

/* Its exit status says what it saw. */
static void nothing_leaks_into_the_process(void **state)
{
	struct context ctx = {0};
	struct error err;

	(void)state;
	setenv("FACEFLEET_STORE_URL", "postgresql://user:secret@host/db", 1);
	setenv("NOTIFY_SOCKET", "/nowhere", 1);
	assert_int_equal(look(JOB_MATCH, "leaks", &ctx, &err), -EBADMSG);
	assert_string_equal(err.measure, "exit_status");
	assert_true(err.value == 70);
}

/* A group's SIGTERM is for the program, which decides what becomes of the process. */
static void it_ends_with_its_work_not_with_a_stop(void **state)
{
	struct context ctx = {0};
	struct error err;

	(void)state;
	assert_int_equal(look(JOB_MATCH, "stopped with the program", &ctx, &err), -EBADMSG);
	assert_string_equal(err.measure, "exit_status");
	assert_true(err.value == 0);
}

static void a_suspect_has_photographs(void **state)
{
	struct amqp_delivery delivery = {0};
	struct task task = {.delivery = &delivery, .job = {.op = JOB_SEARCH}};

	(void)state;
	assert_false(quarantine_wants(&task));
	delivery.envelope.suspect = true;
	assert_true(quarantine_wants(&task));
	task.job.op = JOB_UNENROLL;
	assert_false(quarantine_wants(&task));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(what_is_found_is_what_a_matcher_finds),
    CASE(a_photograph_is_refused_as_usual),
    CASE(an_enrolment_has_its_portrait),
    CASE(what_dies_names_its_signal),
    CASE(what_says_nothing_or_nonsense_is_poison),
    CASE(what_does_not_start_is_not_the_jobs_fault),
    CASE(the_attempt_ends_in_time),
    CASE(a_cancelled_job_is_let_go),
    CASE(nothing_leaks_into_the_process),
    CASE(it_ends_with_its_work_not_with_a_stop),
    CASE(a_suspect_has_photographs),
};

int main(int argc, char **argv)
{
	if (quarantine_is_child(argc, argv))
		return be_the_process(argv);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
