#include "reembedding.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/queue.h"
#include "base/stop.h"
#include "face/engine.h"
#include "store/collections.h"

/* Ahead of the threads: a page of crops. */
#define PAGE 32

/* An image on its way to a thread. */
struct task {
	char collection[129];
	char user_id[129];
	char image_id[UUID_SIZE];
	size_t crop_size;
	uint8_t crop[];
};

/* One time over the images. The threads write what became of them. */
struct pass {
	const struct reembedding *reembedding;
	struct reembedding_result *result; /* `added` goes on over all passes, the rest is this one's */
	struct queue *queue;
	uint64_t added;
	atomic_bool broken;   /* `err` says why */
	pthread_mutex_t lock; /* of result, added and err */
	struct error err;
};

/* --- a thread --- */

struct hand {
	struct face_engine *engine;
	struct store *store;
	float embedding[FACE_MAX_DIMENSION];
};

/* The first reason is the one that counts. */
static void give_up(struct pass *pass, const struct error *err)
{
	pthread_mutex_lock(&pass->lock);
	if (!atomic_exchange(&pass->broken, true))
		pass->err = *err;
	pthread_mutex_unlock(&pass->lock);
}

static void leave(void *arg, void *state)
{
	struct hand *hand = state;

	(void)arg;
	face_engine_free(hand->engine);
	store_close(hand->store);
	free(hand);
}

static int enter(void *arg, unsigned index, void **state)
{
	static const struct image_limits limits = {
	    .max_bytes = PEOPLE_MAX_CROP_BYTES, .max_pixels = PORTRAIT_SIDE * PORTRAIT_SIDE, .max_side = PORTRAIT_SIDE};
	struct pass *pass = arg;
	struct hand *hand = calloc(1, sizeof(*hand));
	struct error err = {0};
	int r;

	(void)index;
	if (!hand)
		r = error_set(&err, ERROR_INTERNAL, "out of memory");
	else
		r = face_engine_new(&hand->engine, pass->reembedding->models, &limits, &err);
	if (r == 0)
		r = store_open(&hand->store, pass->reembedding->store, &err);
	if (r < 0) {
		give_up(pass, &err);
		if (hand)
			leave(NULL, hand);
		return r;
	}
	*state = hand;
	return 0;
}

/* Names come from outside: what would steer a terminal or forge a line (C0, DEL, C1) becomes a question mark. */
static int append_name(struct buffer *line, const char *name)
{
	int r = 0;

	for (const unsigned char *c = (const unsigned char *)name; r == 0 && *c; c++) {
		bool is_c1 = c[0] == 0xc2 && c[1] < 0xa0;

		r = buffer_append(line, *c < 0x20 || *c == 0x7f || is_c1 ? "?" : (const char *)c, 1);
		c += is_c1;
	}
	return r;
}

/* One line, whole or not at all. */
static void list(struct pass *pass, const struct collection_image *image, uint64_t *counter, const char *why)
{
	struct buffer line = {0};
	int r = append_name(&line, image->collection);

	if (r == 0)
		r = buffer_append(&line, "\t", 1);
	if (r == 0)
		r = append_name(&line, image->user_id);
	if (r == 0)
		r = buffer_printf(&line, "\t%s\t%s\n", image->image_id, why);
	pthread_mutex_lock(&pass->lock);
	++*counter;
	if (r == 0)
		(void)!buffer_append(&pass->result->list, line.data, line.size);
	pthread_mutex_unlock(&pass->lock);
	buffer_finish(&line);
}

static void note_added(struct pass *pass)
{
	pthread_mutex_lock(&pass->lock);
	pass->added++;
	uint64_t added = ++pass->result->added;
	pthread_mutex_unlock(&pass->lock);
	if (pass->reembedding->progress)
		pass->reembedding->progress(added);
}

/* An image that somebody filled or unenrolled meanwhile needs nothing more. */
static void embed(struct pass *pass, struct hand *hand, const struct task *task)
{
	const struct modelset *models = pass->reembedding->models;
	struct error err = {0};
	bool added;
	const struct collection_image image = {
	    .collection = task->collection,
	    .user_id = task->user_id,
	    .image_id = task->image_id,
	    .model_id = models->model_id,
	    .embedding = hand->embedding,
	    .dimension = models->embedder.dimension,
	};

	int r = face_engine_embed_portrait(hand->engine, task->crop, task->crop_size, hand->embedding, &err);
	if (r < 0 && err.class == ERROR_CLASS_REJECT) {
		list(pass, &image, &pass->result->damaged, err.text);
		return;
	}
	if (r == 0)
		r = collections_add_embedding(hand->store, &image, &added, &err);
	if (r < 0)
		give_up(pass, &err);
	else if (added)
		note_added(pass);
}

static void run_task(void *arg, void *state, void *item)
{
	struct pass *pass = arg;

	if (!stop_requested() && !atomic_load(&pass->broken))
		embed(pass, state, item);
	free(item);
}

/* --- all of them --- */

static int hand_out(void *arg, const struct collection_image *image, struct error *err)
{
	struct pass *pass = arg;

	if (stop_requested())
		return error_set(err, ERROR_CANCELLED, "interrupted");
	if (!image->crop) {
		list(pass, image, &pass->result->without_crop, "no picture of the face is stored");
		return 0;
	}
	struct task *task = malloc(sizeof(*task) + image->crop_size);
	if (!task)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	strcpy(task->collection, image->collection);
	strcpy(task->user_id, image->user_id);
	strcpy(task->image_id, image->image_id);
	task->crop_size = image->crop_size;
	memcpy(task->crop, image->crop, image->crop_size);
	if (queue_push(pass->queue, task, -1) < 0) {
		free(task);
		return error_set(err, ERROR_INTERNAL, "the threads have ended");
	}
	return 0;
}

static int read_pages(struct pass *pass, struct store *store, struct error *err)
{
	const struct reembedding *reembedding = pass->reembedding;
	struct collection_cursor cursor = {0};
	int r;

	do {
		r = collections_missing(store, reembedding->collection, reembedding->models->model_id, &cursor, PAGE,
					hand_out, pass, err);
	} while (r > 0 && !atomic_load(&pass->broken));
	return r < 0 ? r : 0;
}

static const struct pool_ops ops = {.enter = enter, .run = run_task, .leave = leave};

static int run_pass(struct pass *pass, struct store *store, struct error *err)
{
	struct pool *pool = NULL;
	int r = 0;

	pass->queue = queue_new(PAGE);
	if (!pass->queue)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	if (pool_start(&pool, "reembed", pass->reembedding->threads, pass->queue, &ops, pass) < 0)
		r = error_set(err, ERROR_INTERNAL, "cannot start %u threads", pass->reembedding->threads);
	else
		r = read_pages(pass, store, err);
	pool_stop(pool);
	queue_free(pass->queue);
	if (atomic_load(&pass->broken)) {
		*err = pass->err;
		r = error_errno(err);
	}
	return r == 0 && stop_requested() ? error_set(err, ERROR_CANCELLED, "interrupted") : r;
}

/* A store that was out of reach for a moment ends a pass, and the next goes on, as long as each gets somewhere. */
static int run_passes(const struct reembedding *reembedding, struct store *store, struct reembedding_result *result,
		      struct error *err)
{
	for (;;) {
		struct pass pass = {.reembedding = reembedding, .result = result, .lock = PTHREAD_MUTEX_INITIALIZER};

		result->without_crop = 0;
		result->damaged = 0;
		buffer_clear(&result->list);
		int r = run_pass(&pass, store, err);
		if (pass.added == 0 || (r < 0 && err->code != ERROR_STORE_UNAVAILABLE))
			return r;
	}
}

int reembedding_run(const struct reembedding *reembedding, struct reembedding_result *result, struct error *err)
{
	struct store *store;
	int r = store_open(&store, reembedding->store, err);

	if (r < 0)
		return r;
	r = run_passes(reembedding, store, result, err);
	store_close(store);
	return r;
}
