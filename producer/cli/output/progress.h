#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "cli/output/terminal.h"

/** What `facefleet submit` counts, and `enroll --from`. */
struct progress_counts {
	uint64_t read;      /**< rows read so far, good, bad or skipped */
	uint64_t skipped;   /**< had a result already */
	uint64_t refused;   /**< rows that could not be sent */
	uint64_t sent;      /**< confirmed by the broker */
	uint64_t answered;  /**< replies: same, different, stored or failed */
	uint64_t same;      /**< matched */
	uint64_t different; /**< did not match */
	uint64_t stored;    /**< enrolled */
	uint64_t failed;    /**< tasks that failed */
	uint64_t lost;      /**< tasks whose reply never came */
	double fraction;    /**< of the input that was read; negative when its size is unknown */
	bool waiting;       /**< for replies: progress is what was answered, not what was sent */
	bool enrolling;     /**< rows are enrolments */
	const char *note;   /**< what holds things up ("queue full"), or NULL */
};

/** Shows progress on standard error: a bar on a terminal, otherwise a line now and then. One thread. */
struct progress {
	struct terminal terminal;
	bool quiet;
	bool shown; /**< a bar stands on the terminal's last line */
	int64_t started_ns;
	int64_t next_ns;
	uint64_t last_done;
	int64_t last_ns;
	double rate; /**< rows per second, smoothed; negative before the first measurement */
};

void progress_start(struct progress *progress, bool quiet);

/** Shows the counts if it is time to. */
void progress_update(struct progress *progress, const struct progress_counts *counts);

/** Takes the bar away so that something else can be printed; it comes back with the next update. */
void progress_clear(struct progress *progress);

/** Takes the bar away and prints the summary, "1,200 sent, …". */
void progress_finish(struct progress *progress, const struct progress_counts *counts);

/* The texts, on their own for the tests; all append to `out`: */

/** One line of at most `width` columns: bar, share, counts, rate, time left, note. A negative rate is unknown. */
void progress_format_bar(const struct progress_counts *counts, double rate, unsigned width, struct buffer *out);

/** The same in words, without a bar. */
void progress_format_line(const struct progress_counts *counts, double rate, struct buffer *out);

/** What was done in `seconds`. */
void progress_format_summary(const struct progress_counts *counts, double seconds, struct buffer *out);

#endif
