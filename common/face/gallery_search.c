#include "face/gallery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "face/gallery_inside.h"
#include "face/gallery_top.h"

/** Rows scored before their scores are looked at: scores and the rows' ids stay in the cache. */
#define CHUNK 512
#define CHUNK_BLOCKS (CHUNK / GALLERY_BLOCK)
/** If more than one in so many rows may be good enough, all are compared in float32: in a row they are quicker. */
#define FEW 8

struct gallery_search {
	struct gallery_view *view; /**< of the last run: its hits point into it */
	unsigned top_k;
	size_t products;
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
	struct gallery_int8_query *coded; /**< the queries in 8 bits, */
	size_t coded_size;
	int16_t *codes; /**< their codes, */
	size_t codes_size;
	float *bounds; /**< what they have to reach */
	size_t bounds_size;
	uint16_t *masks; /**< and which rows may */
	size_t masks_size;
};

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
	free(search->coded);
	free(search->codes);
	free(search->bounds);
	free(search->masks);
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

static int prepare_codes(struct gallery_search *s, size_t stride, unsigned count)
{
	int r = reserve((void **)&s->coded, &s->coded_size, count * sizeof(*s->coded));

	if (r == 0)
		r = reserve((void **)&s->codes, &s->codes_size, count * stride * (sizeof(int16_t) + sizeof(int8_t)));
	if (r == 0)
		r = reserve((void **)&s->bounds, &s->bounds_size, count * sizeof(*s->bounds));
	if (r == 0)
		r = reserve((void **)&s->masks, &s->masks_size, count * CHUNK_BLOCKS * sizeof(*s->masks));
	return r;
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

/* Some rows in float32. */
static void compare(struct gallery_search *s, const struct gallery_tuning *tuning, size_t first, size_t count,
		    unsigned query, unsigned queries)
{
	const struct gallery_view *view = s->view;
	size_t stride = view->store->stride;

	tuning->scores(view->store->rows + first * stride, stride, count, s->queries + query * stride, queries,
		       s->scores);
	s->products += count * queries;
	for (unsigned q = 0; q < queries; q++)
		look_at(&s->tops[query + q], view, first, count, s->scores + q * count);
}

static void scan(struct gallery_search *s, const struct gallery_tuning *tuning, size_t first, unsigned queries)
{
	for (size_t end = s->view->count; first < end; first += CHUNK)
		compare(s, tuning, first, end - first < CHUNK ? end - first : CHUNK, 0, queries);
}

/* The rows of some blocks that the codes did not rule out for a query. */
static void look_closer(struct gallery_search *s, const struct gallery_tuning *tuning, unsigned query, size_t block,
			size_t count, const uint16_t *masks)
{
	size_t left = 0;

	for (size_t b = 0; b < count; b++)
		left += (size_t)__builtin_popcount(masks[b]);
	if (left > count * GALLERY_BLOCK / FEW) {
		compare(s, tuning, block * GALLERY_BLOCK, count * GALLERY_BLOCK, query, 1);
		return;
	}
	for (size_t b = 0; left > 0 && b < count; b++) {
		for (unsigned mask = masks[b]; mask; mask &= mask - 1) {
			size_t row = (block + b) * GALLERY_BLOCK + (size_t)__builtin_ctz(mask);

			if (!gallery_view_is_gone(s->view, row))
				compare(s, tuning, row, 1, query, 1);
		}
	}
}

/* Whether it takes too many products in float32 to trust in codes any longer. At first nothing can be ruled out: of
 * rows in random order, the best k change about k log(rows / k) times. */
static bool is_in_vain(const struct gallery_search *s, size_t rows, unsigned queries)
{
	return s->products > queries * (2 * CHUNK + 16 * (size_t)s->top_k + rows / 4);
}

/* Whole blocks by their codes, as long as those rule out enough; returns the first row that is left. */
static size_t scan_codes(struct gallery_search *s, const struct gallery_tuning *tuning, unsigned queries)
{
	const struct gallery_store *store = s->view->store;
	size_t blocks = s->view->count / GALLERY_BLOCK;
	size_t first = 0;

	while (first < blocks && !is_in_vain(s, first * GALLERY_BLOCK, queries)) {
		size_t count = blocks - first < CHUNK_BLOCKS ? blocks - first : CHUNK_BLOCKS;

		for (unsigned q = 0; q < queries; q++)
			s->bounds[q] = s->tops[q].bound;
		tuning->int8(store->codes + first * GALLERY_BLOCK * store->stride, store->blocks + first, count,
			     store->stride, s->coded, queries, s->bounds, s->masks);
		for (unsigned q = 0; q < queries; q++)
			look_closer(s, tuning, q, first, count, s->masks + q * count);
		first += count;
	}
	return first * GALLERY_BLOCK;
}

/* False if nothing can be said of a query. */
static bool encode_queries(struct gallery_search *s, size_t stride, unsigned count)
{
	for (unsigned q = 0; q < count; q++) {
		s->coded[q].wide = s->codes + q * stride * 3 / 2;
		s->coded[q].codes = (int8_t *)(s->coded[q].wide + stride);
		if (gallery_int8_query(&s->coded[q], s->queries + q * stride, stride) < 0)
			return false;
	}
	return true;
}

int gallery_search_run(struct gallery_search *search, struct gallery *gallery, const float *queries, unsigned count,
		       unsigned top_k, const float *thresholds)
{
	const struct gallery_tuning *tuning = gallery_tuning_of(gallery);
	size_t dimension = (size_t)gallery_dimension(gallery);

	gallery_view_drop(search->view);
	search->view = gallery_hold(gallery);
	size_t stride = search->view->store->stride;
	int r = prepare(search, stride, count, top_k);
	if (r == 0)
		r = prepare_codes(search, stride, count);
	if (r < 0)
		return r;
	search->top_k = top_k;
	search->products = 0;
	for (unsigned q = 0; q < count; q++) {
		float *query = search->queries + q * stride;

		memcpy(query, queries + q * dimension, dimension * sizeof(float));
		memset(query + dimension, 0, (stride - dimension) * sizeof(float));
		search->tops[q].entries = search->entries + (size_t)q * top_k;
		gallery_top_start(&search->tops[q], top_k, thresholds[q]);
	}
	bool by_codes = search->view->store->codes && encode_queries(search, stride, count);
	scan(search, tuning, by_codes ? scan_codes(search, tuning, count) : 0, count);
	for (unsigned q = 0; q < count; q++)
		gallery_top_sort(&search->tops[q]);
	return 0;
}

size_t gallery_search_products(const struct gallery_search *search)
{
	return search->products;
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
