#include "face/gallery.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "face/gallery_inside.h"

#define FIRST_CAPACITY 64
/** Where the copy in 8 bits begins to pay, a store being made for twice the images there are: tests/bench/README.md. */
#define INT8_FROM 4096
/** Fewer removed rows are not worth a new store. */
#define MIN_REMOVED 1024

/** A user and the rows of their images in the present store. */
struct person {
	const char *key; /**< what to look for; NULL in the tree, where the name says it */
	const struct gallery_name *name;
	unsigned count;
	size_t *rows;
};

struct gallery {
	int dimension;
	struct gallery_tuning tuning;
	pthread_mutex_t writing; /**< held while the gallery changes */
	pthread_mutex_t lock;    /**< held for a moment, around `view` */
	struct gallery_view *view;
	void *people; /**< tsearch() tree of struct person; the writer's */
	size_t person_count;
};

static const char *id_of(const struct person *person)
{
	return person->key ? person->key : person->name->id;
}

static int compare_people(const void *a, const void *b)
{
	return strcmp(id_of(a), id_of(b));
}

static void free_person(void *item)
{
	struct person *person = item;

	free(person->rows);
	free(person);
}

struct gallery_tuning gallery_tuning_best(void)
{
	return (struct gallery_tuning){gallery_scores_best(), gallery_int8_best(), INT8_FROM};
}

struct gallery *gallery_new(int dimension)
{
	struct gallery_tuning best = gallery_tuning_best();

	return gallery_new_tuned(dimension, &best);
}

static struct gallery_view *new_view(const struct gallery *g, size_t stride, size_t capacity)
{
	return gallery_view_new(stride, capacity, g->tuning.int8 && capacity >= g->tuning.int8_from);
}

struct gallery *gallery_new_tuned(int dimension, const struct gallery_tuning *tuning)
{
	size_t stride = ((size_t)dimension + GALLERY_LANES - 1) / GALLERY_LANES * GALLERY_LANES;
	struct gallery *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->dimension = dimension;
	g->tuning = *tuning;
	g->view = new_view(g, stride, FIRST_CAPACITY);
	if (!g->view) {
		free(g);
		return NULL;
	}
	pthread_mutex_init(&g->writing, NULL);
	pthread_mutex_init(&g->lock, NULL);
	return g;
}

void gallery_free(struct gallery *gallery)
{
	if (!gallery)
		return;
	tdestroy(gallery->people, free_person);
	gallery_view_drop(gallery->view);
	pthread_mutex_destroy(&gallery->writing);
	pthread_mutex_destroy(&gallery->lock);
	free(gallery);
}

int gallery_dimension(const struct gallery *gallery)
{
	return gallery->dimension;
}

const struct gallery_tuning *gallery_tuning_of(const struct gallery *gallery)
{
	return &gallery->tuning;
}

struct gallery_view *gallery_hold(struct gallery *gallery)
{
	pthread_mutex_lock(&gallery->lock);
	struct gallery_view *view = gallery->view;
	gallery_view_hold(view);
	pthread_mutex_unlock(&gallery->lock);
	return view;
}

static void publish(struct gallery *g, struct gallery_view *view)
{
	pthread_mutex_lock(&g->lock);
	struct gallery_view *old = g->view;
	g->view = view;
	pthread_mutex_unlock(&g->lock);
	gallery_view_drop(old);
}

/* --- changes: by the one writer --- */

/* The row behind what the view shows has its content. A block gets its codes with its last row: no sooner does anybody
 * look at them, and no row that can be seen is ever written again. */
static void show_row(struct gallery_view *view, const struct gallery_name *owner)
{
	struct gallery_store *store = view->store;

	store->owners[view->count++] = owner;
	if (store->codes && view->count % GALLERY_BLOCK == 0) {
		size_t first = view->count - GALLERY_BLOCK;

		gallery_int8_pack(store->rows + first * store->stride, store->stride,
				  store->codes + first * store->stride, &store->blocks[first / GALLERY_BLOCK]);
	}
}

static void copy_row(const struct gallery_store *from, size_t row, struct gallery_store *to, size_t at)
{
	memcpy(to->rows + at * to->stride, from->rows + row * from->stride, from->stride * sizeof(float));
	memcpy(to->image_ids[at], from->image_ids[row], UUID_SIZE);
}

/* Everybody on the way to another store. */
struct move {
	const struct gallery_store *from;
	struct gallery_view *to;
	size_t placed;
	bool failed;
};

static bool is_visit(VISIT visit)
{
	return visit == postorder || visit == leaf;
}

static void copy_person(const void *node, VISIT visit, void *arg)
{
	const struct person *person = *(struct person *const *)node;
	struct move *move = arg;
	struct gallery_store *to = move->to->store;

	if (!is_visit(visit) || move->failed)
		return;
	const struct gallery_name *name = gallery_store_name(to, person->name->id);
	move->failed = !name;
	for (unsigned i = 0; name && i < person->count; i++) {
		copy_row(move->from, person->rows[i], to, move->to->count);
		show_row(move->to, name);
	}
}

/* The same walk again, when nothing can fail any more. */
static void place_person(const void *node, VISIT visit, void *arg)
{
	struct person *person = *(struct person *const *)node;
	struct move *move = arg;

	if (!is_visit(visit))
		return;
	person->name = move->to->store->owners[move->placed];
	for (unsigned i = 0; i < person->count; i++)
		person->rows[i] = move->placed++;
}

/* A store with room for `more` rows and without the removed ones; searches go on in the old one. */
static int make_room(struct gallery *g, size_t more)
{
	size_t live = g->view->count - g->view->removed;
	struct move move = {.from = g->view->store, .to = new_view(g, g->view->store->stride, 2 * (live + more))};

	if (!move.to)
		return -ENOMEM;
	twalk_r(g->people, copy_person, &move);
	if (move.failed) {
		gallery_view_drop(move.to);
		return -ENOMEM;
	}
	twalk_r(g->people, place_person, &move);
	publish(g, move.to);
	return 0;
}

static struct person *find_person(struct gallery *g, const char *user_id)
{
	const struct person key = {.key = user_id};
	struct person *const *node = tfind(&key, &g->people, compare_people);

	return node ? *node : NULL;
}

static void forget_person(struct gallery *g, struct person *person)
{
	tdelete(person, &g->people, compare_people);
	free_person(person);
	g->person_count--;
}

/* The person, with room for the rows of `count` images and a name in the present store; NULL without memory. */
static struct person *person_for(struct gallery *g, const char *user_id, unsigned count)
{
	struct person *person = find_person(g, user_id);

	if (!person) {
		const struct gallery_name *name = gallery_store_name(g->view->store, user_id);

		person = name ? calloc(1, sizeof(*person)) : NULL;
		if (!person)
			return NULL;
		person->name = name;
		if (!tsearch(person, &g->people, compare_people)) {
			free(person);
			return NULL;
		}
		g->person_count++;
	}
	size_t *rows = realloc(person->rows, count * sizeof(*rows));
	if (rows) {
		person->rows = rows;
		return person;
	}
	if (person->count == 0)
		forget_person(g, person);
	return NULL;
}

static void remove_rows(struct gallery_view *view, const struct person *person)
{
	for (unsigned i = 0; i < person->count; i++)
		view->gone[person->rows[i] / 64] |= UINT64_C(1) << (person->rows[i] % 64);
	view->removed += person->count;
}

static void add_row(struct gallery_view *view, const struct gallery_name *owner, const char image_id[UUID_SIZE],
		    const float *embedding, int dimension)
{
	struct gallery_store *store = view->store;
	float *row = store->rows + view->count * store->stride;

	memcpy(row, embedding, (size_t)dimension * sizeof(float));
	memset(row + dimension, 0, (store->stride - (size_t)dimension) * sizeof(float));
	memcpy(store->image_ids[view->count], image_id, UUID_SIZE);
	show_row(view, owner);
}

static int remove_user(struct gallery *g, struct person *person)
{
	struct gallery_view *next = gallery_view_next(g->view, true);

	if (!next)
		return -ENOMEM;
	remove_rows(next, person);
	forget_person(g, person);
	publish(g, next);
	return 0;
}

/* Behind what readers see, rows are the writer's alone: they become visible with the view. */
static int replace_user(struct gallery *g, const char *user_id, unsigned count, const char (*image_ids)[UUID_SIZE],
			const float *embeddings)
{
	struct person *person = find_person(g, user_id);
	unsigned before = person ? person->count : 0;
	struct gallery_view *next = gallery_view_next(g->view, before > 0);

	if (!next)
		return -ENOMEM;
	if (before > 0)
		remove_rows(next, person);
	person = person_for(g, user_id, before > count ? before : count);
	if (!person) {
		gallery_view_drop(next);
		return -ENOMEM;
	}
	person->count = count;
	for (unsigned i = 0; i < count; i++) {
		person->rows[i] = next->count;
		add_row(next, person->name, image_ids[i], embeddings + (size_t)i * g->dimension, g->dimension);
	}
	publish(g, next);
	return 0;
}

static bool is_finite(const float *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(numbers[i]))
			return false;
	}
	return true;
}

static int set_user(struct gallery *g, const char *user_id, unsigned count, const char (*image_ids)[UUID_SIZE],
		    const float *embeddings)
{
	struct person *person = find_person(g, user_id);
	int r = 0;

	if (count == 0)
		r = person ? remove_user(g, person) : 0;
	else if (g->view->count + count > g->view->store->capacity)
		r = make_room(g, count);
	if (r == 0 && count > 0)
		r = replace_user(g, user_id, count, image_ids, embeddings);
	/* Without memory for it, the removed rows stay until a later change. */
	if (r == 0 && g->view->removed > MIN_REMOVED && g->view->removed > g->view->count / 2)
		(void)!make_room(g, MIN_REMOVED);
	return r;
}

int gallery_set_user(struct gallery *gallery, const char *user_id, unsigned count, const char (*image_ids)[UUID_SIZE],
		     const float *embeddings)
{
	if (strlen(user_id) > GALLERY_MAX_USER_BYTES || !is_finite(embeddings, (size_t)count * gallery->dimension))
		return -EINVAL;
	pthread_mutex_lock(&gallery->writing);
	int r = set_user(gallery, user_id, count, image_ids, embeddings);
	pthread_mutex_unlock(&gallery->writing);
	return r;
}

struct gallery_size gallery_size(struct gallery *gallery)
{
	struct gallery_view *view = gallery_hold(gallery);
	pthread_mutex_lock(&gallery->writing);
	struct gallery_size size = {
	    .users = gallery->person_count,
	    .images = view->count - view->removed,
	    .bytes = gallery_store_bytes(view->store),
	};
	pthread_mutex_unlock(&gallery->writing);
	gallery_view_drop(view);
	return size;
}
