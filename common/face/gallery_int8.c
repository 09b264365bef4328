#include "face/gallery_int8.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"

/** Outside, nothing is said of a row: no product within overflows, ... */
#define MOST 0x1p40f
/** ... and below, its codes are zero. */
#define LEAST 0x1p-80f
/** Makes a bound of a number that was rounded a few times, as float or double. */
#define UP (1 + 0x1p-20)

#ifdef GALLERY_HAVE_X86_VARIANTS
gallery_int8_function gallery_int8_sse2;
gallery_int8_function gallery_int8_avx2;
gallery_int8_function gallery_int8_vnni;

static bool is_there(const char *name)
{
	if (strcmp(name, "vnni") == 0)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni");
	if (strcmp(name, "avx2") == 0)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	return strcmp(name, "sse2") == 0;
}

/* Best first. */
static const struct {
	const char *name;
	gallery_int8_function *function;
} variants[] = {
    {"vnni", gallery_int8_vnni},
    {"avx2", gallery_int8_avx2},
    {"sse2", gallery_int8_sse2},
};

gallery_int8_function *gallery_int8_named(const char *name)
{
	for (size_t i = 0; i < array_size(variants); i++) {
		if (strcmp(variants[i].name, name) == 0 && is_there(name))
			return variants[i].function;
	}
	return NULL;
}

gallery_int8_function *gallery_int8_best(void)
{
	size_t i = 0;

	while (!is_there(variants[i].name))
		i++;
	return variants[i].function;
}
#else
/* Where bytes have to be widened one by one, reading a quarter does not make up for it. */
gallery_int8_function *gallery_int8_named(const char *name)
{
	(void)name;
	return NULL;
}

gallery_int8_function *gallery_int8_best(void)
{
	return NULL;
}
#endif

static float largest_of(const float *numbers, size_t count)
{
	float largest = 0;

	for (size_t i = 0; i < count; i++) {
		float size = fabsf(numbers[i]);

		largest = size > largest ? size : largest;
	}
	return largest;
}

/* Squares of the length of a vector and of its distance from what its codes stand for: in double, where no square of
 * a float overflows or vanishes. Four sums each, for the adders are slow. */
struct lengths {
	double square[4];
	double rest[4];
};

/* The codes, 1 … 255, of four numbers. */
static void encode(const float numbers[4], float scale, float inverse, uint8_t codes[4], struct lengths *lengths)
{
	for (int i = 0; i < 4; i++) {
		int code = (int)(numbers[i] * inverse + 128.5f);
		double rest = numbers[i] - (double)scale * (code - 128);

		codes[i] = (uint8_t)code;
		lengths->square[i] += (double)numbers[i] * numbers[i];
		lengths->rest[i] += rest * rest;
	}
}

static double length_of(const double squares[4])
{
	return sqrt(squares[0] + squares[1] + squares[2] + squares[3]);
}

void gallery_int8_pack(const float *rows, size_t stride, uint8_t *codes, struct gallery_block *block)
{
	float largest = largest_of(rows, GALLERY_BLOCK * stride);
	float scale = largest >= LEAST && largest <= MOST ? largest / 127 : 0;
	float inverse = scale > 0 ? 1 / scale : 0;
	double norm = 0;
	double residual = 0;

	for (size_t r = 0; r < GALLERY_BLOCK; r++) {
		struct lengths lengths = {{0}, {0}};

		for (size_t i = 0; i < stride; i += 4)
			encode(rows + r * stride + i, scale, inverse, codes + i * GALLERY_BLOCK + r * 4, &lengths);
		norm = fmax(norm, length_of(lengths.square));
		residual = fmax(residual, length_of(lengths.rest));
	}
	block->scale = scale;
	block->norm = largest <= MOST ? (float)(norm * UP) : INFINITY;
	block->residual = largest <= MOST ? (float)(residual * UP) : INFINITY;
}

int gallery_int8_query(struct gallery_int8_query *out, const float *query, size_t stride)
{
	float largest = 0;
	struct lengths lengths = {{0}, {0}};
	int32_t sum = 0;

	for (size_t i = 0; i < stride; i++) {
		if (!(fabsf(query[i]) <= MOST))
			return -ERANGE;
	}
	largest = largest_of(query, stride);
	out->scale = largest >= LEAST ? largest / 127 : 0;
	for (size_t i = 0; i < stride; i += 4) {
		uint8_t codes[4];

		encode(query + i, out->scale, out->scale > 0 ? 1 / out->scale : 0, codes, &lengths);
		for (size_t k = 0; k < 4; k++) {
			out->codes[i + k] = (int8_t)(codes[k] - 128);
			out->wide[i + k % 2 * 2 + k / 2] = out->codes[i + k];
			sum += out->codes[i + k];
		}
	}
	out->start = -128 * sum;
	/* |q-q'| and, since it is at most the sum of both, |q'|; roundings: a score's, and a few of the estimate's. */
	double rest = length_of(lengths.rest) * UP;
	double norm = (length_of(lengths.square) + rest) * UP;
	double roundings = (double)(stride / 16 + 16) * 0x1p-23;
	out->norm = (float)((rest + roundings * 2 * norm) * UP);
	out->residual = (float)((1 + roundings) * norm * UP);
	return 0;
}
