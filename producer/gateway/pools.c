#include "pools.h"

#include <errno.h>
#include <stdlib.h>

#include "admission.h"
#include "gateway_private.h"

/* Threads of the intake, unless gateway.threads says otherwise. */
#define INTAKE_THREADS 2

void pools_pass(struct queue *queue, struct visit *visit)
{
	struct http_call *call = visit->call;

	if (queue_length(queue) < POOLS_MAX_VISITS && queue_push(queue, visit, 0) == 0)
		return;
	visit_free(visit);
	visit_refuse_busy(call, "too many requests are waiting");
}

static void handle_visit(void *arg, void *state, void *item)
{
	struct gateway *gateway = arg;
	struct visit *visit = item;

	if (admission_admit(gateway, visit, state))
		visit->handle(gateway, visit, state);
}

static int enter_pool(void *arg, unsigned index, void **state)
{
	(void)arg;
	(void)index;
	*state = calloc(1, sizeof(struct store *)); /* opened when it is first needed */
	return *state ? 0 : -ENOMEM;
}

static void leave_pool(void *arg, void *state)
{
	struct store **store = state;

	(void)arg;
	store_close(*store);
	free(store);
}

static const struct pool_ops pool_ops = {.enter = enter_pool, .run = handle_visit, .leave = leave_pool};

int pools_start(struct gateway *gateway)
{
	unsigned threads = (unsigned)config_integer(gateway->config, OPTION_GATEWAY_THREADS);
	unsigned store_threads = (unsigned)config_integer(gateway->config, OPTION_GATEWAY_STORE_THREADS);

	if (gateway->synchronous)
		return synchronous_start_pool(&gateway->intake_pool, gateway);
	int r = pool_start(&gateway->intake_pool, "intake", threads > 0 ? threads : INTAKE_THREADS, gateway->intake,
			   &pool_ops, gateway);
	return r == 0
		   ? pool_start(&gateway->reading_pool, "reading", store_threads, gateway->reading, &pool_ops, gateway)
		   : r;
}

void pools_stop(struct gateway *gateway)
{
	pool_stop(gateway->intake_pool);
	pool_stop(gateway->reading_pool);
	gateway->intake_pool = NULL;
	gateway->reading_pool = NULL;
}
