/* facefleet-worker: takes match jobs off the broker, matches them, publishes the replies. */

#include <stdio.h>
#include <unistd.h>

#include "amqp/settings.h"
#include "base/stop.h"
#include "base/thread.h"
#include "cache/photo_cache.h"
#include "cache/redis.h"
#include "http/server.h"
#include "matcher_settings.h"
#include "nn/blas.h"
#include "obs/log.h"
#include "obs/program.h"
#include "obs/supervision.h"
#include "quarantine_child.h"
#include "renewal.h"
#include "store/central_follower.h"
#include "worker.h"

#define TICK_MS 100

static const char help[] =
    "Usage: facefleet-worker [--config FILE] [--set KEY=VALUE]... [--print-config]\n"
    "\n"
    "Consumes match jobs from RabbitMQ, matches them and publishes the replies. Start more of\n"
    "them, anywhere that reaches the broker, to match faster. SIGTERM finishes the jobs in hand\n"
    "and gives the rest back; a second SIGTERM hurries. SIGHUP reads settings and models again.\n"
    "\n"
    "  --config FILE    settings (default: $FACEFLEET_CONFIG, /etc/facefleet/facefleet.yaml)\n"
    "  --set KEY=VALUE  one setting, over file and environment\n"
    "  --print-config   the effective settings and where each came from, then exit\n"
    "  --version, --help\n";

static unsigned compute_threads(const struct config *config)
{
	int64_t wanted = config_integer(config, OPTION_WORKER_THREADS);

	return wanted > 0 ? (unsigned)wanted : thread_processors();
}

static uint16_t prefetch(const struct config *config, enum option_id option, unsigned threads)
{
	int64_t wanted = config_integer(config, option);

	return (uint16_t)(wanted > 0 ? wanted : 2 * threads);
}

static struct worker_tuning read_tuning(const struct config *config, unsigned threads)
{
	return (struct worker_tuning){
	    .rules = matcher_rules_from_config(config),
	    .prefetch = {[LANE_REALTIME] = prefetch(config, OPTION_WORKER_PREFETCH_REALTIME, threads),
			 [LANE_BATCH] = prefetch(config, OPTION_WORKER_PREFETCH_BATCH, threads)},
	    .fetch_timeout_ms = config_integer(config, OPTION_FETCH_TIMEOUT),
	    .drain_timeout_ms = config_integer(config, OPTION_WORKER_DRAIN_TIMEOUT),
	    .heartbeat_ms = config_integer(config, OPTION_WORKER_HEARTBEAT),
	    .realtime_wait_target_ms = config_integer(config, OPTION_WORKER_REALTIME_WAIT_TARGET),
	};
}

/* What lives as long as the worker runs. */
struct parts {
	struct central_follower *central; /* NULL: no store */
	char name[128];
	struct amqp_url broker;
	struct matcher_folders folders;
	struct modelset *models;
	unsigned threads;
	struct renewal renewal;
	bool renews;                /* it goes on as a new program */
	struct redis *redis;        /* NULL: none */
	struct photo_cache *photos; /* NULL: none */
	struct worker *worker;
	struct http_server *server;
	struct supervision *supervision;
};

static void set_name(struct parts *parts, const struct config *config)
{
	char host[64] = "localhost";
	const char *wanted = config_string(config, OPTION_WORKER_NAME);

	gethostname(host, sizeof(host) - 1);
	if (wanted[0])
		snprintf(parts->name, sizeof(parts->name), "%s", wanted);
	else
		snprintf(parts->name, sizeof(parts->name), "%s-%d", host, (int)getpid());
}

/* Everything but the photograph's bytes that decides what is found in it. */
static void write_identity(char *out, size_t size, const struct modelset *models, const struct image_limits *limits)
{
	snprintf(out, size, "%s %s %zu %lld %d", models->detector_id, models->model_id, limits->max_bytes,
		 (long long)limits->max_pixels, limits->max_side);
}

static int make_caches(struct parts *parts, const struct program *program, const struct image_limits *limits,
		       struct error *err)
{
	const struct config *config = program->config;
	const struct redis_settings redis = {
	    .url = config_string(config, OPTION_CACHE_REDIS_URL),
	    .timeout_ms = config_integer(config, OPTION_CACHE_REDIS_TIMEOUT),
	    .connections = parts->threads + 1, /* one for the thread that follows the store */
	    .metrics = program->metrics,
	};
	char identity[256];
	const struct photo_cache_settings photos = {
	    .max_bytes = (size_t)config_integer(config, OPTION_CACHE_PHOTOS_BYTES),
	    .ttl_s = config_integer(config, OPTION_CACHE_PHOTOS_TTL),
	    .secret = config_string(config, OPTION_CACHE_SECRET),
	    .identity = identity,
	    .metrics = program->metrics,
	};
	int r = redis.url[0] ? redis_new(&parts->redis, &redis, err) : 0;

	if (r < 0 || photos.max_bytes == 0)
		return r;
	write_identity(identity, sizeof(identity), parts->models, limits);
	struct photo_cache_settings with_redis = photos;
	with_redis.redis = parts->redis;
	return photo_cache_new(&parts->photos, &with_redis, err);
}

static int start_worker(struct parts *parts, const struct program *program, struct error *err)
{
	const struct config *config = program->config;
	struct worker_settings settings = {
	    .name = parts->name,
	    .matcher = matcher_settings_from_config(config, parts->models),
	    .quarantine = {.detector = parts->folders.detector,
			   .embedder = parts->folders.embedder,
			   .dimension = parts->models->embedder.dimension},
	    .tuning = read_tuning(config, parts->threads),
	    .threads = parts->threads,
	    .fetch_allow = config_string(config, OPTION_FETCH_ALLOW),
	    .fetch_max_in_flight = (unsigned)config_integer(config, OPTION_FETCH_MAX_IN_FLIGHT),
	    .searches_together = (unsigned)config_integer(config, OPTION_WORKER_SEARCHES_TOGETHER),
	    .registry = {.store = {.url = config_string(config, OPTION_STORE_URL),
				   .timeout_ms = config_integer(config, OPTION_STORE_TIMEOUT)},
			 .poll_ms = config_integer(config, OPTION_PEOPLE_POLL),
			 .cache_bytes = (size_t)config_integer(config, OPTION_CACHE_PEOPLE_BYTES),
			 .models = parts->models,
			 .metrics = program->metrics},
	    .central = parts->central,
	    .metrics = program->metrics,
	};

	int r = amqp_settings_from_config(&parts->broker, &settings.link, config, err);
	if (r == 0)
		r = make_caches(parts, program, &settings.matcher.limits, err);
	settings.quarantine.limits = settings.matcher.limits;
	settings.matcher.photos = parts->photos;
	settings.registry.redis = parts->redis;
	if (r == 0)
		r = worker_start(&parts->worker, &settings, err);
	if (r == 0)
		log_info(NULL, "worker started", log_string("worker", parts->name),
			 log_integer("threads", parts->threads));
	return r;
}

static int start_server(struct parts *parts, const struct program *program, struct error *err)
{
	const struct http_server_settings settings = {
	    .listen = config_string(program->config, OPTION_WORKER_LISTEN),
	    .metrics = program->metrics,
	    .healthy = worker_is_healthy,
	    .ready = worker_is_ready,
	    .arg = parts->worker,
	};

	return http_server_start(&parts->server, &settings, err);
}

static int start_supervision(struct parts *parts, struct error *err)
{
	const struct supervision_settings settings = {
	    .healthy = worker_is_healthy, .ready = worker_is_ready, .arg = parts->worker};

	return supervision_start(&parts->supervision, &settings, err);
}

static int start(struct parts *parts, struct program *program, struct error *err)
{
	int r = central_follower_start(&parts->central, program, "worker", err);

	if (r < 0)
		return r;
	set_name(parts, program->config);
	parts->threads = compute_threads(program->config);
	r = matcher_settings_find_models(&parts->folders, program->config, err);
	if (r == 0)
		r = matcher_settings_load_models(&parts->models, program->config, err);
	if (r == 0)
		r = start_worker(parts, program, err);
	if (r == 0)
		r = start_server(parts, program, err);
	if (r == 0)
		r = start_supervision(parts, err);
	renewal_init(&parts->renewal, program->config, parts->models);
	reload_set_check(program->reload, renewal_check, &parts->renewal);
	return r;
}

static void take_over(struct parts *parts, const struct config *news)
{
	struct worker_tuning tuning = read_tuning(news, parts->threads);

	worker_tune(parts->worker, &tuning);
}

static void begin_renewal(struct parts *parts, const struct config *now)
{
	struct error err = {0};

	if (renewal_prepare(&parts->renewal, now, &err) < 0) {
		log_error(NULL, "cannot renew yet", log_string("what", parts->renewal.what), LOG_ERROR_FIELDS(&err));
		return;
	}
	log_info(NULL, "renewing", log_string("what", parts->renewal.what));
	supervision_renew(parts->supervision);
	parts->renews = true;
}

static int run(struct parts *parts, struct program *program)
{
	struct error err = {0};

	if (start(parts, program, &err) < 0)
		return program_failed(&err, "start failed");
	const struct config *now = program->config;
	while (stop_wait(0, TICK_MS) == 0 && !parts->renews) {
		const struct config *news = reload_poll(program->reload);

		if (news) {
			take_over(parts, news);
			now = news;
		}
		worker_tick(parts->worker);
		if (worker_failed(parts->worker, &err))
			return program_failed(&err, "cannot go on");
		if (renewal_is_due(&parts->renewal))
			begin_renewal(parts, now);
	}
	return PROGRAM_STOPPED;
}

static void finish(struct parts *parts)
{
	if (parts->worker)
		worker_drain(parts->worker);
	/* After the drain, so that /readyz says "stopping" meanwhile, and a drain that hangs is seen. */
	supervision_stop(parts->supervision);
	http_server_stop(parts->server);
	worker_stop(parts->worker);
	photo_cache_free(parts->photos);
	redis_free(parts->redis);
	if (parts->worker)
		log_info(NULL, "worker stopped");
	modelset_free(parts->models);
	central_follower_stop(parts->central);
}

int main(int argc, char **argv)
{
	struct program program = {.name = "facefleet-worker", .help = help};
	struct parts parts = {0};
	int status;

	if (quarantine_is_child(argc, argv))
		return quarantine_child(argv);
	nn_blas_choose(argv);
	if (program_begin(&program, argc, argv, &status))
		status = run(&parts, &program);
	finish(&parts);
	if (parts.renews)
		return program_renew(&program, argv);
	program_end(&program);
	return status;
}
