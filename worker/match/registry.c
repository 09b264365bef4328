#include "registry.h"

#include <stdlib.h>

#include "follower.h"
#include "obs/breakers.h"

/* More than the caches hold: below it, a search is over before company comes. */
#define LARGE_GALLERY_BYTES (16u << 20)

struct registry {
	struct breakers *breakers; /* of the store: one for all that ask it */
	struct store_settings store;
	struct galleries *galleries;
	struct people_cache *cache;
	struct follower *follower;
	struct people_desk_settings desk;
	void (*announce)(void *arg, uint64_t version);
	void *arg;
};

/* A compute thread has changed somebody in the store. */
static void on_changed(void *arg, uint64_t version)
{
	struct registry *registry = arg;

	follower_hear(registry->follower, version);
	registry->announce(registry->arg, version);
}

static int make_rooms(struct registry *registry, const struct registry_settings *s, struct error *err)
{
	registry->breakers = breakers_new("store", &breakers_of_servers, 1, s->metrics);
	registry->store = s->store;
	registry->store.breakers = registry->breakers;
	registry->galleries = galleries_new(s->models->model_id, s->models->embedder.dimension);
	if (registry->galleries) {
		const struct people_cache_settings cache = {
		    .max_bytes = s->cache_bytes,
		    .redis = s->redis,
		    .model_id = s->models->model_id,
		    .dimension = s->models->embedder.dimension,
		    .metrics = s->metrics,
		};
		registry->cache = people_cache_new(&cache);
	}
	return registry->breakers && registry->cache ? 0 : error_set(err, ERROR_INTERNAL, "no memory for the registry");
}

int registry_start(struct registry **out, const struct registry_settings *settings, struct error *err)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	if (!registry)
		return error_set(err, ERROR_INTERNAL, "no memory for the registry");
	registry->announce = settings->announce;
	registry->arg = settings->arg;
	int r = make_rooms(registry, settings, err);
	if (r == 0) {
		const struct follower_settings follower = {
		    .store = registry->store,
		    .galleries = registry->galleries,
		    .cache = registry->cache,
		    .poll_ms = settings->poll_ms,
		    .metrics = settings->metrics,
		};
		r = follower_start(&registry->follower, &follower, err);
	}
	if (r < 0) {
		registry_stop(registry);
		return r;
	}
	registry->desk = (struct people_desk_settings){
	    .store = registry->store,
	    .model_id = settings->models->model_id,
	    .dimension = settings->models->embedder.dimension,
	    .galleries = registry->galleries,
	    .large_gallery_bytes = settings->large_gallery_bytes ? settings->large_gallery_bytes : LARGE_GALLERY_BYTES,
	    .cache = registry->cache,
	    .changed = on_changed,
	    .arg = registry,
	};
	*out = registry;
	return 0;
}

const struct people_desk_settings *registry_desk(const struct registry *registry)
{
	return &registry->desk;
}

void registry_hear(struct registry *registry, uint64_t version)
{
	follower_hear(registry->follower, version);
}

bool registry_failed(struct registry *registry, struct error *err)
{
	return follower_failed(registry->follower, err);
}

void registry_stop(struct registry *registry)
{
	if (!registry)
		return;
	follower_stop(registry->follower);
	people_cache_free(registry->cache);
	galleries_free(registry->galleries);
	breakers_free(registry->breakers);
	free(registry);
}
