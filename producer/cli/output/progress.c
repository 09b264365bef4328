#include "cli/output/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define BAR_INTERVAL_NS INT64_C(200000000)
#define LINE_INTERVAL_NS INT64_C(5000000000)
#define BAR_CELLS 24
/* Seconds after which a change of speed shows for the greater part. */
#define RATE_MEMORY_S 10.0

/* Rows that are through, whatever came of them. */
static uint64_t done(const struct progress_counts *counts)
{
	uint64_t settled = counts->waiting ? counts->answered + counts->lost : counts->sent;

	return settled + counts->refused + counts->skipped;
}

/* The share that is through, guessed from how much of the input the rows read so far took; negative: unknown. */
static double share(const struct progress_counts *counts)
{
	if (counts->fraction < 0 || counts->read == 0)
		return -1;
	return fmin(1, counts->fraction * (double)done(counts) / (double)counts->read);
}

/* "1,234,567" */
static void put_count(uint64_t count, struct buffer *out)
{
	if (count >= 1000) {
		put_count(count / 1000, out);
		buffer_printf(out, ",%03" PRIu64, count % 1000);
	} else {
		buffer_printf(out, "%" PRIu64, count);
	}
}

static void put_counted(const char *before, uint64_t count, const char *what, struct buffer *out)
{
	buffer_printf(out, "%s", before);
	put_count(count, out);
	buffer_printf(out, " %s", what);
}

/* "42 s", "1 min 05 s", "2 h 07 min" */
static void put_duration(double seconds, struct buffer *out)
{
	uint64_t whole = (uint64_t)fmin(fmax(seconds, 0) + 0.5, 1e9);

	if (whole < 60)
		buffer_printf(out, "%" PRIu64 " s", whole);
	else if (whole < 3600)
		buffer_printf(out, "%" PRIu64 " min %02" PRIu64 " s", whole / 60, whole % 60);
	else
		buffer_printf(out, "%" PRIu64 " h %02" PRIu64 " min", whole / 3600, whole % 3600 / 60);
}

/* "85.3/s, 1 min 42 s left", as far as it is known. */
static void put_pace(const struct progress_counts *counts, double rate, struct buffer *out)
{
	double part = share(counts);

	if (rate >= 0)
		buffer_printf(out, ", %.1f/s", rate);
	if (rate > 0 && part > 0 && part < 1) {
		buffer_printf(out, ", ");
		put_duration((double)done(counts) * (1 / part - 1) / rate, out);
		buffer_printf(out, " left");
	}
}

/* What went wrong, and what holds things up. */
static void put_trouble(const struct progress_counts *counts, struct buffer *out)
{
	uint64_t failed = counts->failed + counts->lost + counts->refused;

	if (failed > 0)
		put_counted(", ", failed, "failed", out);
	if (counts->note)
		buffer_printf(out, ", %s", counts->note);
}

void progress_format_line(const struct progress_counts *counts, double rate, struct buffer *out)
{
	double part = share(counts);

	put_counted("", counts->sent, "sent", out);
	if (counts->waiting)
		put_counted(", ", counts->answered, "answered", out);
	if (part >= 0)
		buffer_printf(out, ", %.0f %%", floor(part * 100));
	put_pace(counts, rate, out);
	put_trouble(counts, out);
}

void progress_format_bar(const struct progress_counts *counts, double rate, unsigned width, struct buffer *out)
{
	double part = share(counts);
	size_t begin = out->size;

	if (part >= 0) {
		int cells = (int)(part * BAR_CELLS);
		buffer_printf(out, "[%.*s%*s] %3.0f %% ", cells, "========================", BAR_CELLS - cells, "",
			      floor(part * 100));
	}
	put_count(done(counts), out);
	put_pace(counts, rate, out);
	put_trouble(counts, out);
	if (out->size - begin > width) {
		out->size = begin + width;
		out->data[out->size] = '\0';
	}
}

void progress_format_summary(const struct progress_counts *counts, double seconds, struct buffer *out)
{
	put_counted("", counts->sent, "sent", out);
	if (counts->waiting) {
		put_counted(", ", counts->answered, "answered (", out);
		if (counts->enrolling) {
			put_counted("", counts->stored, "stored, ", out);
		} else {
			put_counted("", counts->same, "same, ", out);
			put_counted("", counts->different, "different, ", out);
		}
		put_counted("", counts->failed, "failed)", out);
	}
	if (counts->lost > 0)
		put_counted(", ", counts->lost, "without a reply", out);
	if (counts->refused > 0)
		put_counted(", ", counts->refused, "refused", out);
	if (counts->skipped > 0)
		put_counted(", ", counts->skipped, "skipped (had a result)", out);
	buffer_printf(out, ", %.1f s", seconds);
	if (seconds > 0)
		buffer_printf(out, ", %.1f/s", (double)(done(counts) - counts->skipped) / seconds);
}

void progress_start(struct progress *progress, bool quiet)
{
	int64_t now = clock_monotonic_ns();

	*progress = (struct progress){
	    .terminal = terminal_of(STDERR_FILENO),
	    .quiet = quiet,
	    .started_ns = now,
	    .last_ns = now,
	    .rate = -1,
	};
	progress->next_ns = now + (progress->terminal.interactive ? BAR_INTERVAL_NS : LINE_INTERVAL_NS);
}

/* Follows the speed of the last seconds: an exponential mean that heeds how long each measurement took. */
static void measure(struct progress *progress, const struct progress_counts *counts, int64_t now)
{
	double seconds = clock_elapsed_ms(progress->last_ns, now) / 1000;
	uint64_t through = done(counts) - counts->skipped;
	double current = (double)(through - progress->last_done) / seconds;

	if (progress->rate < 0)
		progress->rate = current;
	else
		progress->rate += (current - progress->rate) * (1 - exp(-seconds / RATE_MEMORY_S));
	progress->last_done = through;
	progress->last_ns = now;
}

void progress_update(struct progress *progress, const struct progress_counts *counts)
{
	int64_t now = clock_monotonic_ns();
	struct buffer text = {0};

	if (progress->quiet || now < progress->next_ns)
		return;
	measure(progress, counts, now);
	if (progress->terminal.interactive) {
		progress_format_bar(counts, progress->rate, terminal_width(STDERR_FILENO) - 1, &text);
		fprintf(stderr, "\r%s\033[K", (const char *)text.data);
		progress->shown = true;
		progress->next_ns = now + BAR_INTERVAL_NS;
	} else {
		progress_format_line(counts, progress->rate, &text);
		fprintf(stderr, "%s\n", (const char *)text.data);
		progress->next_ns = now + LINE_INTERVAL_NS;
	}
	buffer_finish(&text);
}

void progress_clear(struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r\033[K");
	progress->shown = false;
}

void progress_finish(struct progress *progress, const struct progress_counts *counts)
{
	struct buffer text = {0};

	progress_clear(progress);
	if (progress->quiet)
		return;
	progress_format_summary(counts, clock_elapsed_ms(progress->started_ns, clock_monotonic_ns()) / 1000, &text);
	fprintf(stderr, "%s\n", (const char *)text.data);
	buffer_finish(&text);
}
