#include "roc.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const double roc_fars[ROC_FARS] = {1e-2, 1e-3};

static int by_falling_similarity(const void *a, const void *b)
{
	double x = ((const struct roc_pair *)a)->similarity;
	double y = ((const struct roc_pair *)b)->similarity;

	return (x < y) - (x > y);
}

/* Those that did not fail, by falling similarity. NULL without memory. */
static struct roc_pair *sorted(const struct roc_pair *pairs, size_t count, size_t *kept)
{
	struct roc_pair *copy = malloc((count + 1) * sizeof(*copy));

	if (!copy)
		return NULL;
	*kept = 0;
	for (size_t i = 0; i < count; i++)
		if (!pairs[i].failed)
			copy[(*kept)++] = pairs[i];
	qsort(copy, *kept, sizeof(*copy), by_falling_similarity);
	return copy;
}

static size_t count_same(const struct roc_pair *pairs, size_t count)
{
	size_t same = 0;

	for (size_t i = 0; i < count; i++)
		same += pairs[i].same;
	return same;
}

static double share(size_t part, size_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0;
}

double roc_accuracy(const struct roc_pair *pairs, size_t count, double threshold)
{
	size_t right = 0;

	for (size_t i = 0; i < count; i++)
		right += !pairs[i].failed && (pairs[i].similarity >= threshold) == pairs[i].same;
	return share(right, count);
}

int roc_best_threshold(const struct roc_pair *pairs, size_t count, double *threshold)
{
	size_t kept;
	struct roc_pair *s = sorted(pairs, count, &kept);

	if (!s)
		return -ENOMEM;
	/* From above all similarities downwards; `right` is counted along: first nobody is accepted. */
	size_t right = kept - count_same(s, kept);
	size_t most = right;
	*threshold = 1;
	for (size_t i = 0; i < kept; i++) {
		right = s[i].same ? right + 1 : right - 1;
		if (i + 1 < kept && s[i + 1].similarity == s[i].similarity)
			continue;
		if (right < most)
			continue;
		most = right;
		*threshold = i + 1 < kept ? (s[i].similarity + s[i + 1].similarity) / 2 : -1;
	}
	free(s);
	return 0;
}

int roc_at_far(const struct roc_pair *pairs, size_t count, double far, struct roc_point *out)
{
	size_t same = count_same(pairs, count);
	size_t different = count - same;
	size_t allowed = (size_t)floor(far * (double)different + 1e-9);
	size_t seen = 0;
	size_t kept;
	struct roc_pair *s = sorted(pairs, count, &kept);
	struct roc_point point = {.threshold = -1};

	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < kept; i++) {
		if (s[i].same || seen++ < allowed)
			continue;
		/* The first pair of different people that must not be accepted. */
		point.threshold = fmin(1, (floor(s[i].similarity * 1e4) + 1) / 1e4);
		break;
	}
	size_t accepted[2] = {0};
	for (size_t i = 0; i < kept && s[i].similarity >= point.threshold; i++)
		accepted[s[i].same]++;
	free(s);
	point.false_accept = share(accepted[false], different);
	point.true_accept = share(accepted[true], same);
	*out = point;
	return 0;
}

int roc_curve(const struct roc_pair *pairs, size_t count, struct roc_point *points)
{
	size_t same = count_same(pairs, count);
	size_t accepted[2] = {0};
	size_t kept;
	struct roc_pair *s = sorted(pairs, count, &kept);
	int made = 0;

	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < kept; i++) {
		accepted[s[i].same]++;
		if (i + 1 < kept && s[i + 1].similarity == s[i].similarity)
			continue;
		points[made++] = (struct roc_point){.threshold = s[i].similarity,
						    .false_accept = share(accepted[false], count - same),
						    .true_accept = share(accepted[true], same)};
	}
	free(s);
	return made;
}

static bool has_both(const struct roc_pair *pairs, size_t count)
{
	size_t same = count_same(pairs, count);

	return same > 0 && same < count;
}

int roc_summarise(const struct roc_pair *pairs, size_t count, struct roc_summary *out)
{
	size_t half = count / 2;
	struct roc_summary sum = {.pairs = count, .same = count_same(pairs, count)};
	double first = 0;
	double second = 0;
	int r = roc_best_threshold(pairs, count, &sum.threshold);

	for (size_t i = 0; i < count; i++)
		sum.failed += pairs[i].failed;
	if (r == 0)
		r = roc_best_threshold(pairs, half, &first);
	if (r == 0)
		r = roc_best_threshold(pairs + half, count - half, &second);
	for (int i = 0; i < ROC_FARS && r == 0; i++)
		r = roc_at_far(pairs, count, roc_fars[i], &sum.at[i]);
	if (r < 0)
		return r;
	sum.accuracy = roc_accuracy(pairs, count, sum.threshold);
	sum.two_way = NAN;
	if (has_both(pairs, half) && has_both(pairs + half, count - half))
		sum.two_way = (roc_accuracy(pairs, half, second) + roc_accuracy(pairs + half, count - half, first)) / 2;
	*out = sum;
	return 0;
}
