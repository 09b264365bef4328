#ifndef FACE_GALLERY_INSIDE_H
#define FACE_GALLERY_INSIDE_H

#include "face/gallery.h"
#include "face/gallery_int8.h"
#include "face/gallery_rows.h"
#include "face/gallery_scores.h"

/*
 * What the gallery's own files share with each other, and with tests and benchmarks.
 */

/** How a gallery compares; nothing that is found depends on it. */
struct gallery_tuning {
	gallery_scores_function *scores;
	gallery_int8_function *int8; /**< NULL: there is no copy in 8 bits, */
	size_t int8_from;            /**< else a store with room for so many images has one */
};

/** What gallery_new() takes for the processor this runs on. */
struct gallery_tuning gallery_tuning_best(void);

struct gallery *gallery_new_tuned(int dimension, const struct gallery_tuning *tuning) must_check;

int gallery_dimension(const struct gallery *gallery);
const struct gallery_tuning *gallery_tuning_of(const struct gallery *gallery);

/** The gallery as it is now, held. */
struct gallery_view *gallery_hold(struct gallery *gallery) must_check;

/** Products of a query and an image that the last run computed in float32. */
size_t gallery_search_products(const struct gallery_search *search);

#endif
