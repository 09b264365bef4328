#include "run.h"

#include <math.h>

#include "roc.h"

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-9)

/* Six pairs of one person and five of others, one of which failed. */
static const struct roc_pair pairs[] = {
    {0.90, true, false},  {0.10, false, false}, {0.80, true, false},  {0.55, false, false},
    {0, false, true},     {0.70, true, false},  {0.20, false, false}, {0.60, true, false},
    {0.30, false, false}, {0.50, true, false},  {0.40, true, false},
};
#define COUNT (sizeof(pairs) / sizeof(pairs[0]))

static void test_best_threshold(void **state)
{
	(void)state;
	double threshold;
	/* From 0.35 on: all six, and one wrong one. From 0.575 on: four, and none wrong. */
	assert_int_equal(roc_best_threshold(pairs, COUNT, &threshold), 0);
	NEAR(threshold, 0.35);
	NEAR(roc_accuracy(pairs, COUNT, threshold), 9.0 / 11);
	NEAR(roc_accuracy(pairs, COUNT, 0.575), 8.0 / 11);
	NEAR(roc_accuracy(pairs, COUNT, -1), 6.0 / 11);
}

static void test_thresholds_at_the_ends(void **state)
{
	(void)state;
	static const struct roc_pair same[] = {{0.2, true, false}, {0.1, true, false}};
	static const struct roc_pair different[] = {{0.2, false, false}, {0.1, false, false}};
	static const struct roc_pair failed[] = {{0, true, true}, {0, false, true}};
	double threshold;

	assert_int_equal(roc_best_threshold(same, 2, &threshold), 0);
	NEAR(threshold, -1);
	assert_int_equal(roc_best_threshold(different, 2, &threshold), 0);
	NEAR(threshold, 1);
	assert_int_equal(roc_best_threshold(failed, 2, &threshold), 0);
	NEAR(roc_accuracy(failed, 2, threshold), 0);
}

static void test_equal_similarities_are_judged_alike(void **state)
{
	(void)state;
	static const struct roc_pair equal[] = {{0.5, true, false}, {0.5, false, false}, {0.5, true, false}};
	double threshold;

	assert_int_equal(roc_best_threshold(equal, 3, &threshold), 0);
	NEAR(roc_accuracy(equal, 3, threshold), 2.0 / 3);
}

static void test_false_accept_rates(void **state)
{
	(void)state;
	struct roc_point point;

	/* None of five: above 0.55. */
	assert_int_equal(roc_at_far(pairs, COUNT, 0.1, &point), 0);
	NEAR(point.threshold, 0.5501);
	NEAR(point.false_accept, 0);
	NEAR(point.true_accept, 4.0 / 6);
	/* One of five: above 0.3. */
	assert_int_equal(roc_at_far(pairs, COUNT, 0.2, &point), 0);
	NEAR(point.threshold, 0.3001);
	NEAR(point.false_accept, 0.2);
	NEAR(point.true_accept, 1);
	/* All of them; the failed pair is never accepted. */
	assert_int_equal(roc_at_far(pairs, COUNT, 1, &point), 0);
	NEAR(point.threshold, -1);
	NEAR(point.false_accept, 0.8);
}

static void test_curve(void **state)
{
	(void)state;
	static const struct roc_pair few[] = {
	    {0.9, true, false}, {0.5, true, false}, {0.5, false, false}, {0.1, false, false}, {0, true, true}};
	struct roc_point points[5];

	assert_int_equal(roc_curve(few, 5, points), 3);
	NEAR(points[0].true_accept, 1.0 / 3);
	NEAR(points[0].false_accept, 0);
	NEAR(points[1].true_accept, 2.0 / 3);
	NEAR(points[1].false_accept, 0.5);
	NEAR(points[2].true_accept, 2.0 / 3);
	NEAR(points[2].false_accept, 1);
}

static void test_summary(void **state)
{
	(void)state;
	/* First half: the best threshold is 0.7; second half: 0.4. Each judges the other. */
	static const struct roc_pair halves[] = {
	    {0.9, true, false}, {0.5, false, false}, {0.6, true, false}, {0.2, false, false}};
	struct roc_summary s;

	assert_int_equal(roc_summarise(halves, 4, &s), 0);
	NEAR(s.threshold, 0.55);
	NEAR(s.accuracy, 1);
	/* From 0.4 on the first half has one of two right; from 0.7 on the second. */
	NEAR(s.two_way, 0.5);
	assert_int_equal(s.same, 2);
	assert_int_equal(s.failed, 0);
	assert_int_equal(roc_summarise(pairs, COUNT, &s), 0);
	assert_int_equal(s.failed, 1);
	NEAR(s.at[0].threshold, 0.5501);
}

static void test_no_two_way_with_a_half_of_one_kind(void **state)
{
	(void)state;
	static const struct roc_pair sorted[] = {
	    {0.9, true, false}, {0.8, true, false}, {0.1, false, false}, {0.2, false, false}};
	struct roc_summary s;

	assert_int_equal(roc_summarise(sorted, 4, &s), 0);
	assert_true(isnan(s.two_way));
	NEAR(s.accuracy, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_best_threshold),
    cmocka_unit_test(test_thresholds_at_the_ends),
    cmocka_unit_test(test_equal_similarities_are_judged_alike),
    cmocka_unit_test(test_false_accept_rates),
    cmocka_unit_test(test_curve),
    cmocka_unit_test(test_summary),
    cmocka_unit_test(test_no_two_way_with_a_half_of_one_kind),
};

RUN_TESTS(tests)
