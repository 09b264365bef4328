/* facefleet-worker: takes match jobs off the broker, matches them, publishes the replies. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amqp/settings.h"
#include "base/stop.h"
#include "config/config.h"
#include "face/builtin.h"
#include "http/server.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "obs/setup.h"
#include "version.h"
#include "worker.h"

#define TICK_MS 100

enum { EXIT_RUNTIME = 1, EXIT_USAGE = 2 };

static const char help[] =
    "Usage: facefleet-worker [--config FILE] [--set KEY=VALUE]... [--print-config]\n"
    "\n"
    "Consumes match jobs from RabbitMQ, matches them and publishes the replies. Start more of\n"
    "them, anywhere that reaches the broker, to match faster. SIGTERM finishes the jobs in hand\n"
    "and gives the rest back; a second SIGTERM hurries.\n"
    "\n"
    "  --config FILE    settings (default: $FACEFLEET_CONFIG, /etc/facefleet/facefleet.yaml)\n"
    "  --set KEY=VALUE  one setting, over file and environment\n"
    "  --print-config   the effective settings and where each came from, then exit\n"
    "  --version, --help\n";

static unsigned compute_threads(const struct config *config)
{
	int64_t wanted = config_integer(config, OPTION_WORKER_THREADS);

	if (wanted == 0)
		wanted = sysconf(_SC_NPROCESSORS_ONLN);
	return wanted > 0 ? (unsigned)wanted : 1;
}

static uint16_t prefetch(const struct config *config, enum option_id option, unsigned threads)
{
	int64_t wanted = config_integer(config, option);

	return (uint16_t)(wanted > 0 ? wanted : 2 * threads);
}

/* What stays in memory as long as the worker runs. */
struct program {
	struct config *config;
	struct amqp_url broker;
	struct metrics *metrics;
	struct modelset *models;
	struct worker *worker;
	struct http_server *server;
	char name[128];
};

static void set_name(struct program *program)
{
	char host[64] = "localhost";
	const char *wanted = config_string(program->config, OPTION_WORKER_NAME);

	gethostname(host, sizeof(host) - 1);
	if (wanted[0])
		snprintf(program->name, sizeof(program->name), "%s", wanted);
	else
		snprintf(program->name, sizeof(program->name), "%s-%d", host, (int)getpid());
}

static int load_models(struct program *program, struct error *err)
{
	char detector[BUILTIN_PATH_SIZE];
	char embedder[BUILTIN_PATH_SIZE];
	int r = builtin_model_folder(config_string(program->config, OPTION_MODEL_DETECTOR), "detector", detector, err);

	if (r == 0)
		r = builtin_model_folder(config_string(program->config, OPTION_MODEL_EMBEDDER), "embedder", embedder,
					 err);
	if (r == 0)
		r = modelset_load(&program->models, detector, embedder, err);
	if (r == 0)
		log_info(NULL, "models loaded", log_string("detector", program->models->detector.name),
			 log_string("embedder", program->models->embedder.name),
			 log_string("model_id", program->models->model_id));
	return r;
}

static int start_worker(struct program *program, struct error *err)
{
	const struct config *config = program->config;
	unsigned threads = compute_threads(config);
	struct worker_settings settings = {
	    .name = program->name,
	    .matcher = {.models = program->models,
			.limits = {.max_bytes = (size_t)config_integer(config, OPTION_IMAGE_MAX_BYTES),
				   .max_pixels = config_integer(config, OPTION_IMAGE_MAX_PIXELS),
				   .max_side = (int)config_integer(config, OPTION_IMAGE_MAX_SIDE)},
			.min_threshold = config_number(config, OPTION_FACE_MIN_THRESHOLD)},
	    .threads = threads,
	    .prefetch = {[LANE_REALTIME] = prefetch(config, OPTION_WORKER_PREFETCH_REALTIME, threads),
			 [LANE_BATCH] = prefetch(config, OPTION_WORKER_PREFETCH_BATCH, threads)},
	    .fetch_allow = config_string(config, OPTION_FETCH_ALLOW),
	    .fetch_timeout_ms = config_integer(config, OPTION_FETCH_TIMEOUT),
	    .fetch_max_in_flight = (unsigned)config_integer(config, OPTION_FETCH_MAX_IN_FLIGHT),
	    .drain_timeout_ms = config_integer(config, OPTION_WORKER_DRAIN_TIMEOUT),
	    .metrics = program->metrics,
	};

	int r = amqp_settings_from_config(&program->broker, &settings.link, config, err);
	if (r == 0)
		r = worker_start(&program->worker, &settings, err);
	if (r == 0)
		log_info(NULL, "worker started", log_string("worker", program->name), log_integer("threads", threads));
	return r;
}

static int start_server(struct program *program, struct error *err)
{
	const struct http_server_settings settings = {
	    .listen = config_string(program->config, OPTION_WORKER_LISTEN),
	    .metrics = program->metrics,
	    .healthy = worker_is_healthy,
	    .ready = worker_is_ready,
	    .arg = program->worker,
	};
	int r = http_server_start(&program->server, &settings, err);

	if (r == 0)
		log_info(NULL, "listening", log_string("address", settings.listen),
			 log_integer("port", http_server_port(program->server)));
	return r;
}

static int run(struct program *program)
{
	struct error err = {0};

	if (load_models(program, &err) < 0 || start_worker(program, &err) < 0 || start_server(program, &err) < 0) {
		log_error(NULL, "start failed", LOG_ERROR_FIELDS(&err));
		return err.code == ERROR_CONFIG ? EXIT_USAGE : EXIT_RUNTIME;
	}
	while (stop_wait(0, TICK_MS) == 0) {
		worker_tick(program->worker);
		if (worker_failed(program->worker, &err)) {
			log_error(NULL, "cannot go on", LOG_ERROR_FIELDS(&err));
			return EXIT_RUNTIME;
		}
	}
	return EXIT_SUCCESS;
}

static void finish(struct program *program)
{
	if (program->worker)
		worker_drain(program->worker);
	/* After the drain, so that /readyz says "stopping" meanwhile. */
	http_server_stop(program->server);
	worker_stop(program->worker);
	if (program->worker)
		log_info(NULL, "worker stopped");
	modelset_free(program->models);
	metrics_free(program->metrics);
	config_free(program->config);
}

int main(int argc, char **argv)
{
	struct program program = {0};
	struct config_args args = {0};
	struct error err = {0};
	int status = EXIT_USAGE;

	if (config_parse_args(&args, argc, argv, &err) < 0) {
		fprintf(stderr, "facefleet-worker: %s\n%s", err.text, help);
	} else if (args.help || args.version) {
		printf("%s", args.help ? help : "facefleet-worker " FACEFLEET_VERSION "\n");
		status = EXIT_SUCCESS;
	} else if (config_load(&program.config, &args.sources, &err) < 0) {
		fprintf(stderr, "facefleet-worker: %s\n", err.text);
	} else if (args.print_config) {
		config_print(program.config, stdout);
		status = EXIT_SUCCESS;
	} else if (stop_install() < 0 || !(program.metrics = metrics_new())) {
		fprintf(stderr, "facefleet-worker: cannot set up signals or metrics\n");
		status = EXIT_RUNTIME;
	} else {
		log_setup_from_config("facefleet-worker", program.config);
		set_name(&program);
		status = run(&program);
	}
	finish(&program);
	config_args_finish(&args);
	return status;
}
