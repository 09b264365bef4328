#ifndef BENCH_PAIRS_H
#define BENCH_PAIRS_H

#include "base/buffer.h"

#define BENCH_MAX_PAIRS 10000
#define BENCH_MAX_IMAGE_BYTES (10 << 20)

/** Two photographs, as files. */
struct bench_pair {
	struct buffer a;
	struct buffer b;
};

/** Reads what a CSV with rows id,image_a,image_b,… names, relative to it. Their number, or -1 with a message on stderr.
 */
int bench_pairs_read(const char *csv, struct bench_pair *pairs);
void bench_pairs_finish(struct bench_pair *pairs, int count);

#endif
