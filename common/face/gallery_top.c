#include "face/gallery_top.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* By falling similarity, then by user id, then (of one user) by image id: no two are equal. */
static int compare(const struct gallery_entry *a, const struct gallery_entry *b)
{
	if (a->similarity != b->similarity)
		return a->similarity > b->similarity ? -1 : 1;
	if (a->owner != b->owner)
		return strcmp(a->owner->id, b->owner->id);
	return strcmp(a->image_id, b->image_id);
}

static bool is_worse(const struct gallery_entry *a, const struct gallery_entry *b)
{
	return compare(a, b) > 0;
}

static void swap(struct gallery_entry *a, struct gallery_entry *b)
{
	struct gallery_entry other = *a;

	*a = *b;
	*b = other;
}

static void sift_up(struct gallery_top *top, unsigned at)
{
	for (; at > 0 && is_worse(&top->entries[at], &top->entries[(at - 1) / 2]); at = (at - 1) / 2)
		swap(&top->entries[at], &top->entries[(at - 1) / 2]);
}

static void sift_down(struct gallery_top *top, unsigned at)
{
	for (;;) {
		unsigned worst = at;

		for (unsigned child = 2 * at + 1; child <= 2 * at + 2 && child < top->count; child++) {
			if (is_worse(&top->entries[child], &top->entries[worst]))
				worst = child;
		}
		if (worst == at)
			return;
		swap(&top->entries[at], &top->entries[worst]);
		at = worst;
	}
}

void gallery_top_start(struct gallery_top *top, unsigned most, float threshold)
{
	top->count = 0;
	top->most = most;
	top->bound = threshold;
}

/* The entry of a user who is in already; NULL if there is none. Few images get this far. */
static struct gallery_entry *find(struct gallery_top *top, const struct gallery_name *owner)
{
	for (unsigned i = 0; i < top->count; i++) {
		if (top->entries[i].owner == owner)
			return &top->entries[i];
	}
	return NULL;
}

void gallery_top_offer(struct gallery_top *top, float similarity, const struct gallery_name *owner,
		       const char *image_id)
{
	struct gallery_entry fresh = {similarity, owner, image_id};
	struct gallery_entry *same = find(top, owner);

	if (same) {
		if (!is_worse(same, &fresh))
			return;
		*same = fresh;
		sift_down(top, (unsigned)(same - top->entries));
	} else if (top->count < top->most) {
		top->entries[top->count++] = fresh;
		sift_up(top, top->count - 1);
	} else if (is_worse(&top->entries[0], &fresh)) {
		top->entries[0] = fresh;
		sift_down(top, 0);
	}
	if (top->count == top->most)
		top->bound = top->entries[0].similarity;
}

static int compare_entries(const void *a, const void *b)
{
	return compare(a, b);
}

void gallery_top_sort(struct gallery_top *top)
{
	qsort(top->entries, top->count, sizeof(*top->entries), compare_entries);
}
