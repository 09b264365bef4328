#include "run.h"

#include <string.h>

#include "roc_svg.h"

static void test_plot(void **state)
{
	(void)state;
	static const struct roc_pair pairs[] = {
	    {0.9, true, false}, {0.5, false, false}, {0.6, true, false}, {0.2, false, false}};
	struct roc_point points[4];
	struct roc_summary summary;
	struct buffer out = {0};

	assert_int_equal(roc_summarise(pairs, 4, &summary), 0);
	int count = roc_curve(pairs, 4, points);
	assert_int_equal(roc_svg_write(&out, "a <b> & \033c", &summary, points, count), 0);
	const char *svg = (const char *)out.data;
	assert_non_null(strstr(svg, "a &#60;b&#62; &#38; &#32;c"));
	assert_non_null(strstr(svg, "false-accept rate"));
	assert_non_null(strstr(svg, ">0.001<"));
	assert_non_null(strstr(svg, "prefers-color-scheme: dark"));
	assert_null(strstr(svg, "nan"));
	assert_null(strstr(svg, "inf"));
	/* Nobody of others is accepted at the left edge (x = 76) up to the top (y = 64). */
	assert_non_null(strstr(svg, "d=\"M76 456 H76.0 V260.0 H76.0 V64.0"));
	buffer_finish(&out);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_plot),
};

RUN_TESTS(tests)
