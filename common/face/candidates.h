#ifndef FACE_CANDIDATES_H
#define FACE_CANDIDATES_H

#include "face/face.h"

/** Faces a network proposes, before they are thinned out. Memory is planned once, see detector.c. */
struct candidates {
	struct face *items;
	int count;
	int capacity;
};

/**
 * Non-maximum suppression: by falling score, keeps a face unless its box overlaps a kept one by more
 * than `max_iou` (intersection over union). At most FACE_MAX_FACES stay.
 */
void candidates_suppress(struct candidates *candidates, float max_iou);

/** Puts faces in the order of replies: by falling area of the box, then by falling score. */
void candidates_sort(struct candidates *candidates);

#endif
