#include "face/gallery.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "face/gallery_rows.h"
#include "face/gallery_scores.h"
#include "face/gallery_top.h"

#define FIRST_CAPACITY 64
/** Rows scored before their scores are looked at: scores and the rows' ids stay in the cache. */
#define CHUNK 512
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
	gallery_scores_function *scores;
	pthread_mutex_t writing; /**< held while the gallery changes */
	pthread_mutex_t lock;    /**< held for a moment, around `view` */
	struct gallery_view *view;
	void *people; /**< tsearch() tree of struct person; the writer's */
	size_t person_count;
};

struct gallery_search {
	struct gallery_view *view; /**< of the last run: its hits point into it */
	unsigned top_k;
	struct gallery_top *tops; /**< of each query */
	size_t tops_size;
	struct gallery_entry *entries; /**< `top_k` for each query, like the hits */
	size_t entries_size;
	struct gallery_hit *hits;
	size_t hits_size;
	float *queries; /**< in rows as long as the matrix's */
	size_t queries_size;
	float *scores;
	size_t scores_size;
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

struct gallery *gallery_new(int dimension)
{
	size_t stride = ((size_t)dimension + GALLERY_LANES - 1) / GALLERY_LANES * GALLERY_LANES;
	struct gallery *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->dimension = dimension;
	g->scores = gallery_scores_best();
	g->view = gallery_view_new(stride, FIRST_CAPACITY);
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

static struct gallery_view *hold_view(struct gallery *g)
{
	pthread_mutex_lock(&g->lock);
	struct gallery_view *view = g->view;
	gallery_view_hold(view);
	pthread_mutex_unlock(&g->lock);
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
		to->owners[move->to->count++] = name;
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
	struct move move = {.from = g->view->store, .to = gallery_view_new(g->view->store->stride, 2 * (live + more))};

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
	store->owners[view->count++] = owner;
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
	/* Without memory for it, the removed rows stay for now. */
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
	struct gallery_view *view = hold_view(gallery);
	size_t row = view->store->stride * sizeof(float) + UUID_SIZE + sizeof(*view->store->owners);

	pthread_mutex_lock(&gallery->writing);
	struct gallery_size size = {
	    .users = gallery->person_count,
	    .images = view->count - view->removed,
	    .bytes = view->store->capacity * row,
	};
	pthread_mutex_unlock(&gallery->writing);
	gallery_view_drop(view);
	return size;
}

/* --- searches --- */

struct gallery_search *gallery_search_new(void)
{
	return calloc(1, sizeof(struct gallery_search));
}

void gallery_search_free(struct gallery_search *search)
{
	if (!search)
		return;
	gallery_view_drop(search->view);
	free(search->tops);
	free(search->hits);
	free(search->entries);
	free(search->queries);
	free(search->scores);
	free(search);
}

/* Grows a buffer whose content does not matter. */
static int reserve(void **buffer, size_t *size, size_t wanted)
{
	if (wanted <= *size)
		return 0;
	free(*buffer);
	*size = 0;
	*buffer = aligned_alloc(64, (wanted + 63) / 64 * 64);
	if (!*buffer)
		return -ENOMEM;
	*size = wanted;
	return 0;
}

static int prepare(struct gallery_search *s, size_t stride, unsigned count, unsigned top_k)
{
	int r = reserve((void **)&s->queries, &s->queries_size, count * stride * sizeof(float));

	if (r == 0)
		r = reserve((void **)&s->scores, &s->scores_size, count * CHUNK * sizeof(float));
	if (r == 0)
		r = reserve((void **)&s->tops, &s->tops_size, count * sizeof(*s->tops));
	if (r == 0)
		r = reserve((void **)&s->entries, &s->entries_size, (size_t)count * top_k * sizeof(*s->entries));
	if (r == 0)
		r = reserve((void **)&s->hits, &s->hits_size, (size_t)count * top_k * sizeof(*s->hits));
	return r;
}

/* Most scores of a chunk are below the bound: this loop is vectors. */
static bool has_any(const float *scores, size_t count, float bound)
{
	int found = 0;

	for (size_t i = 0; i < count; i++)
		found |= scores[i] >= bound;
	return found != 0;
}

static void look_at(struct gallery_top *top, const struct gallery_view *view, size_t first, size_t count,
		    const float *scores)
{
	const struct gallery_store *store = view->store;

	if (!has_any(scores, count, top->bound))
		return;
	for (size_t i = 0; i < count; i++) {
		size_t row = first + i;

		if (scores[i] >= top->bound && !gallery_view_is_gone(view, row))
			gallery_top_offer(top, scores[i], store->owners[row], store->image_ids[row]);
	}
}

static void scan(struct gallery_search *s, gallery_scores_function *score, unsigned queries)
{
	const struct gallery_view *view = s->view;
	size_t stride = view->store->stride;

	for (size_t first = 0; first < view->count; first += CHUNK) {
		size_t count = view->count - first < CHUNK ? view->count - first : CHUNK;

		score(view->store->rows + first * stride, stride, count, s->queries, queries, s->scores);
		for (unsigned q = 0; q < queries; q++)
			look_at(&s->tops[q], view, first, count, s->scores + q * count);
	}
}

int gallery_search_run(struct gallery_search *search, struct gallery *gallery, const float *queries, unsigned count,
		       unsigned top_k, const float *thresholds)
{
	size_t dimension = (size_t)gallery->dimension;

	gallery_view_drop(search->view);
	search->view = hold_view(gallery);
	size_t stride = search->view->store->stride;
	int r = prepare(search, stride, count, top_k);
	if (r < 0)
		return r;
	search->top_k = top_k;
	for (unsigned q = 0; q < count; q++) {
		float *query = search->queries + q * stride;

		memcpy(query, queries + q * dimension, dimension * sizeof(float));
		memset(query + dimension, 0, (stride - dimension) * sizeof(float));
		search->tops[q].entries = search->entries + (size_t)q * top_k;
		gallery_top_start(&search->tops[q], top_k, thresholds[q]);
	}
	scan(search, gallery->scores, count);
	for (unsigned q = 0; q < count; q++)
		gallery_top_sort(&search->tops[q]);
	return 0;
}

const struct gallery_hit *gallery_search_hits(const struct gallery_search *search, unsigned query, unsigned *count)
{
	const struct gallery_top *top = &search->tops[query];
	struct gallery_hit *hits = search->hits + (size_t)query * search->top_k;

	*count = top->count;
	for (unsigned i = 0; i < top->count; i++)
		hits[i] = (struct gallery_hit){top->entries[i].similarity, top->entries[i].owner->id,
					       top->entries[i].image_id};
	return hits;
}
