#include "obs/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* The page up to the process metrics; free() it. */
static char *render(struct metrics *m)
{
	struct buffer out = {0};

	assert_int_equal(metrics_render(m, &out), 0);
	char *page = (char *)buffer_steal(&out);
	char *process = strstr(page, "# HELP process_");
	if (process)
		*process = '\0';
	return page;
}

static void check_page(struct metrics *m, const char *expected)
{
	char *page = render(m);

	assert_string_equal(page, expected);
	free(page);
	metrics_free(m);
}

static void test_counters_and_gauges_share_one_head_per_name(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	metric_add(metrics_counter(m, "jobs_total", "Jobs.", (const char *const[]){"lane", "batch", NULL}), 2);
	metric_set(metrics_gauge(m, "depth", "Depth.", NULL), -1.5);
	metric_add(metrics_counter(m, "jobs_total", "Jobs.", (const char *const[]){"lane", "realtime", NULL}), 1);
	metric_add(metrics_gauge(m, "depth", "Depth.", NULL), 1);
	check_page(m, "# HELP jobs_total Jobs.\n"
		      "# TYPE jobs_total counter\n"
		      "jobs_total{lane=\"batch\"} 2\n"
		      "jobs_total{lane=\"realtime\"} 1\n"
		      "# HELP depth Depth.\n"
		      "# TYPE depth gauge\n"
		      "depth -0.5\n");
}

static void test_the_same_series_is_found_again(void **state)
{
	struct metrics *m = metrics_new();
	char name[] = "a_total";
	char value[] = "x";
	struct metric *first = metrics_counter(m, name, "A.", (const char *const[]){"k", value, NULL});

	(void)state;
	name[0] = '?';
	value[0] = '?'; /* both were copied */
	assert_ptr_equal(metrics_counter(m, "a_total", "A.", (const char *const[]){"k", "x", NULL}), first);
	assert_ptr_not_equal(metrics_counter(m, "a_total", "A.", (const char *const[]){"k", "y", NULL}), first);
	metrics_free(m);
}

static void test_labels_and_help_are_escaped(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	metrics_gauge(m, "g", "One \\ \"two\"\nthree",
		      (const char *const[]){"a", "q\"b\\n\nz", "b", "\xC3\xA9\xFF", NULL});
	check_page(m, "# HELP g One \\\\ \"two\"\\nthree\n"
		      "# TYPE g gauge\n"
		      "g{a=\"q\\\"b\\\\n\\nz\",b=\"\xC3\xA9\xEF\xBF\xBD\"} 0\n");
}

static void test_histograms_are_cumulative(void **state)
{
	struct metrics *m = metrics_new();
	const double bounds[] = {0.1, 1, 10};
	struct metric *h = metrics_histogram(m, "s", "S.", NULL, bounds, 3);
	struct metric *labelled =
	    metrics_histogram(m, "s", "S.", (const char *const[]){"stage", "embed", NULL}, bounds, 3);

	(void)state;
	metric_observe(h, 0.1); /* a bound is inclusive */
	metric_observe(h, 0.5);
	metric_observe(h, 10.5);
	metric_observe(labelled, 2);
	assert_true(metric_value(h) == 3);
	check_page(m, "# HELP s S.\n"
		      "# TYPE s histogram\n"
		      "s_bucket{le=\"0.1\"} 1\n"
		      "s_bucket{le=\"1\"} 2\n"
		      "s_bucket{le=\"10\"} 2\n"
		      "s_bucket{le=\"+Inf\"} 3\n"
		      "s_sum 11.1\n"
		      "s_count 3\n"
		      "s_bucket{stage=\"embed\",le=\"0.1\"} 0\n"
		      "s_bucket{stage=\"embed\",le=\"1\"} 0\n"
		      "s_bucket{stage=\"embed\",le=\"10\"} 1\n"
		      "s_bucket{stage=\"embed\",le=\"+Inf\"} 1\n"
		      "s_sum{stage=\"embed\"} 2\n"
		      "s_count{stage=\"embed\"} 1\n");
}

static void test_numbers_read_back_as_they_were(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	metric_set(metrics_gauge(m, "a", "A.", NULL), (double)INFINITY);
	metric_set(metrics_gauge(m, "b", "B.", NULL), -(double)INFINITY);
	metric_set(metrics_gauge(m, "c", "C.", NULL), (double)NAN);
	metric_set(metrics_gauge(m, "d", "D.", NULL), 0.1 + 0.2);
	metric_set(metrics_gauge(m, "e", "E.", NULL), 1234567890123);
	char *page = render(m);
	assert_non_null(strstr(page, "\na +Inf\n"));
	assert_non_null(strstr(page, "\nb -Inf\n"));
	assert_non_null(strstr(page, "\nc NaN\n"));
	assert_non_null(strstr(page, "\nd 0.30000000000000004\n"));
	assert_non_null(strstr(page, "\ne 1234567890123\n"));
	free(page);
	metrics_free(m);
}

static double read_number(void *arg)
{
	return *(const double *)arg;
}

static void test_callbacks_are_asked_at_render_time(void **state)
{
	struct metrics *m = metrics_new();
	double number = 1;

	(void)state;
	metrics_gauge_callback(m, "asked", "Asked.", NULL, read_number, &number);
	number = 7;
	check_page(m, "# HELP asked Asked.\n# TYPE asked gauge\nasked 7\n");
}

static void test_process_metrics_are_plausible(void **state)
{
	static const char *const names[] = {"process_cpu_seconds_total",
					    "process_resident_memory_bytes",
					    "process_virtual_memory_bytes",
					    "process_start_time_seconds",
					    "process_open_fds",
					    "process_max_fds"};
	struct metrics *m = metrics_new();
	struct buffer out = {0};

	(void)state;
	assert_int_equal(metrics_render(m, &out), 0);
	for (size_t i = 0; i < array_size(names); i++) {
		char line[64];
		snprintf(line, sizeof(line), "\n%s ", names[i]);
		const char *found = strstr((const char *)out.data, line);
		assert_non_null(found);
		double value = strtod(found + strlen(line), NULL);
		assert_true(value >= 0);
		if (strcmp(names[i], "process_start_time_seconds") == 0)
			assert_true(value > 1.6e9);
		if (strcmp(names[i], "process_resident_memory_bytes") == 0)
			assert_true(value > 100e3);
		if (strcmp(names[i], "process_open_fds") == 0)
			assert_true(value >= 3);
	}
	buffer_finish(&out);
	metrics_free(m);
}

static void test_a_full_buffer_is_an_error(void **state)
{
	struct metrics *m = metrics_new();
	struct buffer out = {.limit = 20};

	(void)state;
	metrics_counter(m, "a_total", "A.", NULL);
	assert_true(metrics_render(m, &out) < 0);
	buffer_finish(&out);
	metrics_free(m);
}

struct shared {
	struct metrics *m;
	struct metric *counter;
	struct metric *histogram;
};

static void *count_many(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < 10000; i++) {
		metric_add(s->counter, 0.5);
		metric_observe(s->histogram, i % 2);
		if (i % 100 == 0)
			metric_add(metrics_counter(s->m, "late_total", "L.", NULL), 1);
	}
	return NULL;
}

static void test_no_update_of_any_thread_is_lost(void **state)
{
	struct shared s = {.m = metrics_new()};
	pthread_t threads[4];

	(void)state;
	s.counter = metrics_counter(s.m, "a_total", "A.", NULL);
	s.histogram = metrics_histogram(s.m, "h", "H.", NULL, metrics_latency_bounds, metrics_latency_bound_count);
	for (size_t i = 0; i < array_size(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_many, &s), 0);
	free(render(s.m));
	for (size_t i = 0; i < array_size(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(metric_value(s.counter) == 20000);
	assert_true(metric_value(s.histogram) == 40000);
	assert_true(metric_value(metrics_counter(s.m, "late_total", "L.", NULL)) == 400);
	metrics_free(s.m);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_counters_and_gauges_share_one_head_per_name),
    cmocka_unit_test(test_the_same_series_is_found_again),
    cmocka_unit_test(test_labels_and_help_are_escaped),
    cmocka_unit_test(test_histograms_are_cumulative),
    cmocka_unit_test(test_numbers_read_back_as_they_were),
    cmocka_unit_test(test_callbacks_are_asked_at_render_time),
    cmocka_unit_test(test_process_metrics_are_plausible),
    cmocka_unit_test(test_a_full_buffer_is_an_error),
    cmocka_unit_test(test_no_update_of_any_thread_is_lost),
};

RUN_TESTS(tests)
