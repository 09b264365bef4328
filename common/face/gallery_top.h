#ifndef FACE_GALLERY_TOP_H
#define FACE_GALLERY_TOP_H

#include "face/gallery.h"
#include "face/gallery_rows.h"

/** The best users so far, the worst of them on top of a heap. */
struct gallery_top {
	struct gallery_entry {
		float similarity;
		const struct gallery_name *owner;
		const char *image_id;
	} * entries; /**< room for `most` */
	unsigned count;
	unsigned most;
	float bound; /**< what is below cannot get in */
};

/** Empties it; entries below `threshold` are not taken. */
void gallery_top_start(struct gallery_top *top, unsigned most, float threshold);

/** Offers an image that is not below the bound. */
void gallery_top_offer(struct gallery_top *top, float similarity, const struct gallery_name *owner,
		       const char *image_id);

/** Puts the best first; the heap is one no more. */
void gallery_top_sort(struct gallery_top *top);

#endif
