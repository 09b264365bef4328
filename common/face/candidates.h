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
 * than `max_iou` (intersection over union) or one of both lies mostly inside the other. At most FACE_MAX_FACES stay.
 * The landmarks of one that stays become the mean over it and those that see the same face almost as it does, weighted
 * by score (after the voting of boxes in Gidaris and Komodakis, "Object detection via a multi-region CNN", 2015).
 */
void candidates_suppress(struct candidates *candidates, float max_iou);

/**
 * Drops each of the first `fresh` faces whose shorter side is below `side` if a later one overlaps it
 * in the sense of candidates_suppress(): those were found again in more detail.
 */
void candidates_supersede(struct candidates *candidates, int fresh, float side, float max_iou);

/** The shorter side of the box. */
float candidates_side(const struct face *face);

/** Puts faces in the order of replies: by falling area of the box, then by falling score. */
void candidates_sort(struct candidates *candidates);

#endif
