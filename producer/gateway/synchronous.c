#include "synchronous.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "admission.h"
#include "base/clock.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "gateway_private.h"
#include "job/scene.h"
#include "job_body.h"
#include "later.h"
#include "match/matcher_settings.h"
#include "problems.h"

struct synchronous {
	struct modelset *models;
	struct matcher **matchers;
	unsigned count;
	pthread_mutex_t lock;
	struct matcher_rules rules; /* written by the main thread */
};

/* What a thread has of its own. */
struct bench {
	struct matcher *matcher;
	struct store *store; /* for API keys; opened when it is first needed */
};

/* --- making --------------------------------------------------------------------------------------- */

static int make(struct synchronous *synchronous, const struct config *config, struct error *err)
{
	unsigned threads = (unsigned)config_integer(config, OPTION_GATEWAY_THREADS);
	int r = matcher_settings_load_models(&synchronous->models, config, err);

	if (r < 0)
		return r;
	if (threads == 0)
		threads = thread_processors();
	synchronous->matchers = calloc(threads, sizeof(synchronous->matchers[0]));
	if (!synchronous->matchers)
		return error_set(err, ERROR_INTERNAL, "no memory for matchers");
	const struct matcher_settings settings = matcher_settings_from_config(config, synchronous->models);
	for (; r == 0 && synchronous->count < threads; synchronous->count += r == 0)
		r = matcher_new(&synchronous->matchers[synchronous->count], &settings, err);
	return r;
}

int synchronous_new(struct synchronous **out, const struct config *config, struct error *err)
{
	struct synchronous *synchronous = calloc(1, sizeof(*synchronous));

	if (!synchronous)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	pthread_mutex_init(&synchronous->lock, NULL);
	synchronous_adopt(synchronous, config);
	int r = make(synchronous, config, err);
	if (r < 0) {
		synchronous_free(synchronous);
		return r;
	}
	*out = synchronous;
	return 0;
}

void synchronous_free(struct synchronous *synchronous)
{
	if (!synchronous)
		return;
	for (unsigned i = 0; i < synchronous->count; i++)
		matcher_free(synchronous->matchers[i]);
	free(synchronous->matchers);
	modelset_free(synchronous->models);
	pthread_mutex_destroy(&synchronous->lock);
	free(synchronous);
}

void synchronous_adopt(struct synchronous *synchronous, const struct config *config)
{
	struct matcher_rules rules = matcher_rules_from_config(config);

	pthread_mutex_lock(&synchronous->lock);
	synchronous->rules = rules;
	pthread_mutex_unlock(&synchronous->lock);
}

/* The rules as they are now. */
static void take_rules(struct synchronous *synchronous, struct matcher *matcher)
{
	pthread_mutex_lock(&synchronous->lock);
	struct matcher_rules rules = synchronous->rules;
	pthread_mutex_unlock(&synchronous->lock);
	matcher_set_rules(matcher, &rules);
}

/* --- a match -------------------------------------------------------------------------------------- */

static int refuse(struct http_problem *problem, const char *field, const char *what)
{
	http_problem_init(problem, &problem_not_in_this_mode, "%s: gateway.mode is synchronous, which knows no %s",
			  field, what);
	snprintf(problem->field, sizeof(problem->field), "%s", field);
	return -ENOTSUP;
}

/* What would be too large for a message. */
static int refuse_size(struct http_problem *problem)
{
	http_problem_init(problem, &problem_image_too_large, "both together may have %u bytes", JOB_MAX_ENCODED_BYTES);
	return -EMSGSIZE;
}

int synchronous_check(const struct job_body *body, struct http_problem *problem)
{
	const struct job *job = &body->job;

	if (job->image_a.size > JOB_MAX_ENCODED_BYTES || job->image_b.size > JOB_MAX_ENCODED_BYTES - job->image_a.size)
		return refuse_size(problem);
	if (job->image_a.url)
		return refuse(problem, "image_a.url", "images by URL");
	if (job->image_b.url)
		return refuse(problem, "image_b.url", "images by URL");
	if (job->callback_url)
		return refuse(problem, "callback", "callbacks");
	if (later_is_wanted(&body->when))
		return refuse(problem, body->when.has_delay ? "delay_ms" : "run_at", "jobs for later");
	return 0;
}

/* The deadlines of its scene, counted as a worker would. */
static void set_deadlines(struct context *ctx, const char *name, int64_t received_ns)
{
	struct scene scene;

	if (!scene_find(name, &scene))
		return; /* it was known a moment ago, when the job was read */
	ctx->deadline_ms = received_ns / 1000000 + scene.end_to_end_ms;
	if (scene.attempt_ms > 0)
		ctx->attempt_deadline_ms = clock_monotonic_ms() + scene.attempt_ms;
}

static void match(struct matcher *matcher, const struct job *job, int64_t received_ns, struct reply *reply)
{
	struct context ctx = {0};
	double waited_ms = clock_elapsed_ms(received_ns, clock_monotonic_ns());

	uuid_v7(ctx.task_id);
	set_deadlines(&ctx, job->scene, received_ns);
	reply_init(reply, ctx.task_id, job);
	reply->attempt = 1;
	reply->accepted_at_ms = clock_unix_ms() - (int64_t)waited_ms;
	snprintf(reply->worker, sizeof(reply->worker), "facefleet-gateway");
	timings_add(&reply->timings, STAGE_QUEUE, waited_ms);
	int r = context_check(&ctx, "the match began", &reply->error);
	if (r == 0)
		r = matcher_run(matcher, &ctx, job, reply, &reply->error);
	reply->state = r == 0 ? TASK_SUCCEEDED : TASK_FINAL_FAILED;
	reply->finished_at_ms = clock_unix_ms();
	timings_add(&reply->timings, STAGE_TOTAL, clock_elapsed_ms(received_ns, clock_monotonic_ns()));
}

static void answer(struct visit *visit, const struct reply *reply)
{
	struct buffer body = {0};
	struct http_problem problem;

	if (reply_encode(reply, ENCODING_JSON, &body) == 0) {
		http_call_answer(visit->call, 200, "application/json", &body, NULL);
		visit_free(visit);
	} else {
		http_problem_init(&problem, &problem_internal, "out of memory");
		visit_refuse(visit, &problem);
	}
	buffer_finish(&body);
}

static void handle(struct bench *bench, struct visit *visit)
{
	const struct job_frame frame = {.op = visit->op};
	const struct buffer *bytes = http_call_body(visit->call);
	const char *content_type = visit->has_content_type ? visit->content_type : NULL;
	struct http_problem problem;
	struct job_body body;
	struct reply reply;

	int r = job_body_read(&body, &frame, content_type, bytes->data, bytes->size, &problem);
	if (r == 0)
		r = synchronous_check(&body, &problem);
	if (r == 0) {
		match(bench->matcher, &body.job, visit->received_ns, &reply);
		answer(visit, &reply);
		reply_finish(&reply);
	} else {
		visit_refuse(visit, &problem);
	}
	job_body_finish(&body);
}

/* --- the threads ---------------------------------------------------------------------------------- */

static int enter(void *arg, unsigned index, void **state)
{
	const struct gateway *gateway = arg;
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench)
		return -ENOMEM;
	bench->matcher = gateway->synchronous->matchers[index];
	*state = bench;
	return 0;
}

static void run(void *arg, void *state, void *item)
{
	struct gateway *gateway = arg;
	struct bench *bench = state;

	if (admission_admit(gateway, item, &bench->store)) {
		take_rules(gateway->synchronous, bench->matcher);
		handle(bench, item);
	}
}

static void leave(void *arg, void *state)
{
	struct bench *bench = state;

	(void)arg;
	store_close(bench->store);
	free(bench);
}

static const struct pool_ops pool_ops = {.enter = enter, .run = run, .leave = leave};

int synchronous_start_pool(struct pool **out, struct gateway *gateway)
{
	return pool_start(out, "matching", gateway->synchronous->count, gateway->intake, &pool_ops, gateway);
}
