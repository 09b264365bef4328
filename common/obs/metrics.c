#include "obs/metrics.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "obs/process.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_NOWHERE };

struct metric {
	struct metric *next; /* in its family */
	enum metric_type type;
	const double *bounds; /* of its family */
	unsigned bound_count;
	double (*read)(void *arg); /* of a gauge with a callback */
	void *read_arg;
	_Atomic double value;       /* of a histogram: the sum */
	char *labels;               /* as rendered, without the braces: `a="b",c="d"`; "" for none */
	_Atomic uint64_t buckets[]; /* bound_count + 1, not cumulative; the last is above every bound */
};

/* Everything under one name. */
struct family {
	struct family *next;
	char *name;
	char *help;
	enum metric_type type;
	double *bounds;
	unsigned bound_count;
	struct metric *series;
};

struct metrics {
	pthread_mutex_t lock; /* guards the lists, not the values */
	struct family *families;
	struct metric *nowhere; /* what is handed out when memory is out */
};

const double metrics_latency_bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
					 0.5,   1,      2.5,   5,    10,    30,   60};
const unsigned metrics_latency_bound_count = array_size(metrics_latency_bounds);

static struct metric *series_new(enum metric_type type, const double *bounds, unsigned bound_count, char *labels)
{
	struct metric *series = calloc(1, sizeof(*series) + (bound_count + 1) * sizeof(series->buckets[0]));

	if (!series)
		return NULL;
	series->type = type;
	series->bounds = bounds;
	series->bound_count = bound_count;
	series->labels = labels;
	return series;
}

static void family_free(struct family *family)
{
	for (struct metric *series = family->series, *next; series; series = next) {
		next = series->next;
		free(series->labels);
		free(series);
	}
	free(family->name);
	free(family->help);
	free(family->bounds);
	free(family);
}

struct metrics *metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->nowhere = series_new(METRIC_NOWHERE, NULL, 0, NULL);
	if (!m->nowhere) {
		free(m);
		return NULL;
	}
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (struct family *family = m->families, *next; family; family = next) {
		next = family->next;
		family_free(family);
	}
	pthread_mutex_destroy(&m->lock);
	free(m->nowhere);
	free(m);
}

/* Escapes for a label value (with quotes) or a help line; what is no UTF-8 would spoil the whole page. */
static int append_escaped(struct buffer *out, const char *text, bool quotes)
{
	int r = 0;

	while (*text != '\0' && r == 0) {
		uint32_t code = 0;
		size_t length = utf8_decode(text, strnlen(text, 4), &code);

		if (length == 0)
			r = buffer_append(out, UTF8_REPLACEMENT, strlen(UTF8_REPLACEMENT));
		else if (*text == '\n')
			r = buffer_append(out, "\\n", 2);
		else if (*text == '\\' || (quotes && *text == '"'))
			r = buffer_printf(out, "\\%c", *text);
		else
			r = buffer_append(out, text, length);
		text += length ? length : 1;
	}
	return r;
}

/* Renders labels as they stand between the braces. NULL when memory is out. */
static char *labels_text(const char *const *labels)
{
	struct buffer text = {0};
	int r = buffer_append(&text, "", 0);

	for (; labels && labels[0] && r == 0; labels += 2) {
		assert(labels[1]);
		r = buffer_printf(&text, "%s%s=\"", text.size > 0 ? "," : "", labels[0]);
		if (r == 0)
			r = append_escaped(&text, labels[1], true);
		if (r == 0)
			r = buffer_append(&text, "\"", 1);
	}
	if (r < 0)
		buffer_finish(&text);
	return (char *)buffer_steal(&text);
}

static char *help_text(const char *help)
{
	struct buffer text = {0};

	if (buffer_append(&text, "", 0) < 0 || append_escaped(&text, help, false) < 0)
		buffer_finish(&text);
	return (char *)buffer_steal(&text);
}

/* What a caller asks the registry for. */
struct wanted {
	enum metric_type type;
	const char *name;
	const char *help;
	const double *bounds;
	unsigned bound_count;
};

static struct family *family_new(const struct wanted *wanted)
{
	struct family *family = calloc(1, sizeof(*family));

	if (!family)
		return NULL;
	family->type = wanted->type;
	family->name = strdup(wanted->name);
	family->help = help_text(wanted->help);
	family->bounds = calloc(wanted->bound_count + 1, sizeof(family->bounds[0]));
	family->bound_count = wanted->bound_count;
	if (!family->name || !family->help || !family->bounds) {
		family_free(family);
		return NULL;
	}
	for (unsigned i = 0; i < wanted->bound_count; i++) {
		assert(isfinite(wanted->bounds[i]) && (i == 0 || wanted->bounds[i] > wanted->bounds[i - 1]));
		family->bounds[i] = wanted->bounds[i];
	}
	return family;
}

static struct family *find_or_add_family(struct metrics *m, const struct wanted *wanted)
{
	struct family **link = &m->families;

	for (; *link; link = &(*link)->next) {
		if (strcmp((*link)->name, wanted->name) != 0)
			continue;
		assert((*link)->type == wanted->type && (*link)->bound_count == wanted->bound_count);
		return *link;
	}
	*link = family_new(wanted);
	return *link;
}

/* Takes `labels`. NULL when memory is out. */
static struct metric *find_or_add_series(struct family *family, char *labels)
{
	struct metric **link = &family->series;

	for (; *link; link = &(*link)->next) {
		if (strcmp((*link)->labels, labels) != 0)
			continue;
		free(labels);
		return *link;
	}
	*link = series_new(family->type, family->bounds, family->bound_count, labels);
	if (!*link)
		free(labels);
	return *link;
}

/* With the lock held. */
static struct metric *find_or_add(struct metrics *m, const struct wanted *wanted, const char *const *labels)
{
	char *text = labels_text(labels);
	struct family *family = text ? find_or_add_family(m, wanted) : NULL;
	struct metric *series = NULL;

	if (family)
		series = find_or_add_series(family, text);
	else
		free(text);
	return series ? series : m->nowhere;
}

static struct metric *locked_find_or_add(struct metrics *m, const struct wanted *wanted, const char *const *labels)
{
	pthread_mutex_lock(&m->lock);
	struct metric *series = find_or_add(m, wanted, labels);
	pthread_mutex_unlock(&m->lock);
	return series;
}

struct metric *metrics_counter(struct metrics *m, const char *name, const char *help, const char *const *labels)
{
	return locked_find_or_add(m, &(struct wanted){METRIC_COUNTER, name, help, NULL, 0}, labels);
}

struct metric *metrics_gauge(struct metrics *m, const char *name, const char *help, const char *const *labels)
{
	return locked_find_or_add(m, &(struct wanted){METRIC_GAUGE, name, help, NULL, 0}, labels);
}

struct metric *metrics_histogram(struct metrics *m, const char *name, const char *help, const char *const *labels,
				 const double *bounds, unsigned count)
{
	return locked_find_or_add(m, &(struct wanted){METRIC_HISTOGRAM, name, help, bounds, count}, labels);
}

void metrics_gauge_callback(struct metrics *m, const char *name, const char *help, const char *const *labels,
			    double (*read)(void *arg), void *arg)
{
	pthread_mutex_lock(&m->lock);
	struct metric *series = find_or_add(m, &(struct wanted){METRIC_GAUGE, name, help, NULL, 0}, labels);
	if (series != m->nowhere) {
		series->read = read;
		series->read_arg = arg;
	}
	pthread_mutex_unlock(&m->lock);
}

static void add_atomically(_Atomic double *value, double amount)
{
	double seen = atomic_load_explicit(value, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(value, &seen, seen + amount, memory_order_relaxed,
						      memory_order_relaxed))
		;
}

void metric_add(struct metric *m, double amount)
{
	assert(m->type != METRIC_HISTOGRAM && !(m->type == METRIC_COUNTER && amount < 0));
	add_atomically(&m->value, amount);
}

void metric_set(struct metric *m, double value)
{
	assert(m->type == METRIC_GAUGE || m->type == METRIC_NOWHERE);
	atomic_store_explicit(&m->value, value, memory_order_relaxed);
}

void metric_observe(struct metric *m, double value)
{
	unsigned bucket = 0;

	assert(m->type == METRIC_HISTOGRAM || m->type == METRIC_NOWHERE);
	/* Turned round so that NaN ends in the last bucket. */
	while (bucket < m->bound_count && !(value <= m->bounds[bucket]))
		bucket++;
	atomic_fetch_add_explicit(&m->buckets[bucket], 1, memory_order_relaxed);
	add_atomically(&m->value, value);
}

double metric_value(const struct metric *m)
{
	if (m->type != METRIC_HISTOGRAM)
		return atomic_load_explicit(&m->value, memory_order_relaxed);

	uint64_t count = 0;
	for (unsigned i = 0; i <= m->bound_count; i++)
		count += atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
	return (double)count;
}

/* The shortest of two spellings that reads back as the same number. */
static void format_number(double value, char out[32])
{
	if (isnan(value))
		snprintf(out, 32, "NaN");
	else if (isinf(value))
		snprintf(out, 32, value > 0 ? "+Inf" : "-Inf");
	else if (snprintf(out, 32, "%.15g", value) > 0 && strtod(out, NULL) != value)
		snprintf(out, 32, "%.17g", value);
}

static int render_sample(struct buffer *out, const char *name, const char *suffix, const char *labels, double value)
{
	char number[32];

	format_number(value, number);
	if (labels[0] == '\0')
		return buffer_printf(out, "%s%s %s\n", name, suffix, number);
	return buffer_printf(out, "%s%s{%s} %s\n", name, suffix, labels, number);
}

static int render_histogram(struct buffer *out, const char *name, const struct metric *series)
{
	uint64_t count = 0;
	int r = 0;

	for (unsigned i = 0; i <= series->bound_count && r == 0; i++) {
		char bound[32];

		format_number(i < series->bound_count ? series->bounds[i] : INFINITY, bound);
		count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
		r = buffer_printf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, series->labels,
				  series->labels[0] ? "," : "", bound, (unsigned long long)count);
	}
	if (r == 0)
		r = render_sample(out, name, "_sum", series->labels,
				  atomic_load_explicit(&series->value, memory_order_relaxed));
	if (r == 0)
		r = render_sample(out, name, "_count", series->labels, (double)count);
	return r;
}

static int render_family(struct buffer *out, const struct family *family)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};
	int r = buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
			      types[family->type]);

	for (const struct metric *series = family->series; series && r == 0; series = series->next) {
		if (series->type == METRIC_HISTOGRAM)
			r = render_histogram(out, family->name, series);
		else
			r = render_sample(out, family->name, "", series->labels,
					  series->read ? series->read(series->read_arg) : metric_value(series));
	}
	return r;
}

int metrics_render(struct metrics *m, struct buffer *out)
{
	int r = 0;

	pthread_mutex_lock(&m->lock);
	for (const struct family *family = m->families; family && r == 0; family = family->next)
		r = render_family(out, family);
	pthread_mutex_unlock(&m->lock);
	return r == 0 ? process_render(out) : r;
}
