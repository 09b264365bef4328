/*
 * The inner loops in 8 bits, compiled for each instruction set like vector.c: NN_LANES channels in a vector, NN_VECTORS
 * vectors times NN_PIXELS pixels of sums in registers. Lanes are output channels, so that pixels may lie anywhere and
 * no input is ever rearranged. Multiplication and addition of floats must not be fused here: all kernels round alike.
 */
#if defined(__AVX2__)
#include <immintrin.h>
#endif
#include <string.h>

#include "nn/kernels/int8.h"
#include "nn/kernels/variants.h"

#define INLINE static inline __attribute__((always_inline))

typedef int32_t ints __attribute__((vector_size(NN_LANES * 4)));
typedef float floats __attribute__((vector_size(NN_LANES * 4)));
typedef uint8_t bytes __attribute__((vector_size(NN_LANES)));
typedef int8_t weight_bytes __attribute__((vector_size(NN_LANES)));
/* The same vectors anywhere in memory. */
typedef int32_t loose_ints __attribute__((vector_size(NN_LANES * 4), aligned(1), may_alias));
typedef float loose_floats __attribute__((vector_size(NN_LANES * 4), aligned(4), may_alias));
typedef uint8_t loose_bytes __attribute__((vector_size(NN_LANES), aligned(1), may_alias));
typedef int8_t loose_weights __attribute__((vector_size(NN_LANES), aligned(1), may_alias));

INLINE floats load(const float *at)
{
	return *(const loose_floats *)at;
}

/* gcc 12 widens a byte at a time where it is not told the instruction. */
INLINE ints load_bytes(const uint8_t *at)
{
#if defined(__AVX512VNNI__)
	return (ints)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i_u *)at));
#elif defined(__AVX2__)
	return (ints)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i_u *)at));
#else
	return __builtin_convertvector((bytes) * (const loose_bytes *)at, ints);
#endif
}

INLINE ints load_weights(const int8_t *at)
{
#if defined(__AVX512VNNI__)
	return (ints)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i_u *)at));
#elif defined(__AVX2__)
	return (ints)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i_u *)at));
#else
	return __builtin_convertvector((weight_bytes) * (const loose_weights *)at, ints);
#endif
}

INLINE floats splat(float x)
{
	return x - (floats){0};
}

INLINE ints splat_quad(const uint8_t *at)
{
	int32_t four;

	memcpy(&four, at, sizeof(four));
	return four - (ints){0};
}

INLINE floats choose(ints which, floats yes, floats no)
{
	return (floats)(((ints)yes & which) | ((ints)no & ~which));
}

INLINE floats between(floats x, floats low, floats high)
{
	x = choose(x > low, x, low);
	return choose(x < high, x, high);
}

/* A quad of weights for each lane, in the form that dot() wants. */
struct quads {
#if defined(__AVX512VNNI__)
	ints all;
#elif defined(__AVX2__)
	__m256i evens;
	__m256i odds;
#else
	ints byte[4];
#endif
};

INLINE struct quads load_quads(const int8_t *at)
{
	ints w = *(const loose_ints *)at;

#if defined(__AVX512VNNI__)
	return (struct quads){w};
#elif defined(__AVX2__)
	return (struct quads){_mm256_srai_epi16(_mm256_slli_epi16((__m256i)w, 8), 8), _mm256_srai_epi16((__m256i)w, 8)};
#else
	return (struct quads){{w << 24 >> 24, w << 16 >> 24, w << 8 >> 24, w >> 24}};
#endif
}

/* Adds the four products of each lane. Pairs of full-range products overflow 16 bits: AVX2 has to widen first. */
INLINE ints dot(ints sum, ints quad, struct quads w)
{
#if defined(__AVX512VNNI__)
	return (ints)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)quad, (__m512i)w.all);
#elif defined(__AVX2__)
	__m256i evens = _mm256_and_si256((__m256i)quad, _mm256_set1_epi16(255));
	__m256i odds = _mm256_srli_epi16((__m256i)quad, 8);

	return sum + (ints)_mm256_madd_epi16(evens, w.evens) + (ints)_mm256_madd_epi16(odds, w.odds);
#else
	sum += (quad & 255) * w.byte[0] + ((quad >> 8) & 255) * w.byte[1];
	return sum + ((quad >> 16) & 255) * w.byte[2] + ((quad >> 24) & 255) * w.byte[3];
#endif
}

/* To the nearest integer, ties to even; |x| < 2^22. */
INLINE ints round_to_ints(floats x)
{
	return (ints)(x + 12582912.0f) - 0x4B400000;
}

INLINE ints to_bytes(floats x, const struct nn_affine *means)
{
	floats zero = splat((float)means->zero);

	x = between(x * splat(1 / means->scale), -zero, 255 - zero);
	return round_to_ints(x) + means->zero;
}

/* Of ints that are bytes already. */
INLINE bytes narrow(ints x)
{
#if defined(__AVX512VNNI__)
	return (bytes)_mm512_cvtepi32_epi8((__m512i)x);
#else
	return __builtin_convertvector(x, bytes);
#endif
}

INLINE floats residual_at(const struct nn_int8_ending *e, int64_t at)
{
	ints r = load_bytes(e->residual + at) - e->residual_means.zero;

	return __builtin_convertvector(r, floats) * splat(e->residual_means.scale);
}

/* Finishes the sums of one pixel from a channel on. */
INLINE void finish(ints sum, const struct nn_int8_slide *job, int64_t pixel, int64_t channel)
{
	const struct nn_int8_ending *e = &job->ending;
	int64_t at = pixel * NN_INT8_PIXEL(job->channels) + channel;
	floats x = __builtin_convertvector(sum, floats) * load(e->scale + channel) + load(e->bias + channel);

	if (e->residual && !e->residual_last)
		x += residual_at(e, at);
	if (e->activation == NN_ACTIVATION_CLAMP)
		x = between(x, splat(e->low), splat(e->high));
	else if (e->activation == NN_ACTIVATION_SLOPE)
		x = choose(x < splat(0), x * load(e->slope + channel), x);
	if (e->residual && e->residual_last)
		x += residual_at(e, at);
	if (e->out) {
		bytes b = narrow(to_bytes(x, &e->out_means));
		int64_t left = NN_INT8_PIXEL(job->channels) - channel;

		if (left >= NN_LANES)
			*(loose_bytes *)(e->out + at) = b;
		else
			memcpy(e->out + at, &b, (size_t)left);
		return;
	}
	for (int64_t i = 0; i < NN_LANES && channel + i < job->channels; i++)
		e->values[(channel + i) * job->height * job->width + pixel] = x[i];
}

/* What `pixels` outputs see times a panel of `vectors` vectors; both are constants where this is inlined. */
INLINE void multiply(const int pixels, const int vectors, const struct nn_int8_slide *job, const int8_t *weights,
		     const uint8_t *const *seen, ints *sums)
{
	ints sum[NN_PIXELS][NN_VECTORS];

	for (int p = 0; p < pixels; p++) {
		for (int v = 0; v < vectors; v++)
			sum[p][v] = (ints){0};
	}
	for (int64_t run = 0; run < job->runs; run++) {
		for (int64_t k = job->offsets[run]; k < job->offsets[run] + job->run_length; k += 4) {
			struct quads w[NN_VECTORS];

			for (int v = 0; v < vectors; v++)
				w[v] = load_quads(weights + v * NN_LANES * 4);
			for (int p = 0; p < pixels; p++) {
				ints quad = splat_quad(seen[p] + k);

				for (int v = 0; v < vectors; v++)
					sum[p][v] = dot(sum[p][v], quad, w[v]);
			}
			weights += vectors * NN_LANES * 4;
		}
	}
	for (int p = 0; p < pixels; p++) {
		for (int v = 0; v < vectors; v++)
			sums[p * vectors + v] = sum[p][v];
	}
}

typedef void multiply_function(const struct nn_int8_slide *job, const int8_t *weights, const uint8_t *const *seen,
			       ints *sums);

/* Functions of their own, so that nothing but the sums competes for registers. */
#define MULTIPLY(pixels, vectors)                                                                                      \
	static void multiply_##pixels##_##vectors(const struct nn_int8_slide *job, const int8_t *weights,              \
						  const uint8_t *const *seen, ints *sums)                              \
	{                                                                                                              \
		multiply(pixels, vectors, job, weights, seen, sums);                                                   \
	}
#define MULTIPLY_ALL(pixels) MULTIPLY(pixels, 1) MULTIPLY(pixels, 2)

MULTIPLY_ALL(1)
MULTIPLY_ALL(2)
#if NN_PIXELS > 2
MULTIPLY_ALL(3)
MULTIPLY_ALL(4)
#endif
#if NN_PIXELS > 4
MULTIPLY_ALL(5)
MULTIPLY_ALL(6)
#endif
#if NN_VECTORS > 2
#undef MULTIPLY_ALL
#define MULTIPLY_ALL(pixels) MULTIPLY(pixels, 3) MULTIPLY(pixels, 4)
MULTIPLY_ALL(1)
MULTIPLY_ALL(2)
MULTIPLY_ALL(3)
MULTIPLY_ALL(4)
MULTIPLY_ALL(5)
MULTIPLY_ALL(6)
#define ROW(pixels)                                                                                                    \
	{                                                                                                              \
		multiply_##pixels##_1, multiply_##pixels##_2, multiply_##pixels##_3, multiply_##pixels##_4             \
	}
#else
#define ROW(pixels)                                                                                                    \
	{                                                                                                              \
		multiply_##pixels##_1, multiply_##pixels##_2                                                           \
	}
#endif

/* By pixels - 1 and vectors - 1. */
static multiply_function *const multiply_functions[NN_PIXELS][NN_VECTORS] = {
    ROW(1), ROW(2),
#if NN_PIXELS > 2
    ROW(3), ROW(4),
#endif
#if NN_PIXELS > 4
    ROW(5), ROW(6),
#endif
};

/* One panel of weights over all pixels, a few at once: as even as they go, for few pixels keep few units busy. */
static void dense_panel(const struct nn_int8_slide *job, const int8_t *weights, int64_t channel, int64_t vectors)
{
	int64_t area = job->height * job->width;
	ints sums[NN_PIXELS * NN_VECTORS];
	const uint8_t *seen[NN_PIXELS];
	int64_t row = 0;
	int64_t column = 0;

	for (int64_t tiles = (area + NN_PIXELS - 1) / NN_PIXELS, first = 0; tiles > 0; tiles--) {
		int64_t pixels = (area - first) / tiles;

		for (int64_t p = 0; p < pixels; p++) {
			seen[p] = job->input + row * job->row_step + column * job->column_step;
			if (++column == job->width) {
				column = 0;
				row++;
			}
		}
		multiply_functions[pixels - 1][vectors - 1](job, weights, seen, sums);
		for (int64_t p = 0; p < pixels; p++) {
			for (int64_t v = 0; v < vectors; v++)
				finish(sums[p * vectors + v], job, first + p, channel + v * NN_LANES);
		}
		first += pixels;
	}
}

static void dense(const struct nn_int8_slide *job, const int8_t *weights)
{
	const struct nn_int8_slide j = *job; /* a copy that no store can change */

	for (int64_t channel = 0; channel < j.channels; channel += NN_VECTORS * NN_LANES) {
		int64_t vectors = (j.channels - channel + NN_LANES - 1) / NN_LANES;

		vectors = vectors < NN_VECTORS ? vectors : NN_VECTORS;
		dense_panel(&j, weights, channel, vectors);
		weights += vectors * NN_LANES * j.runs * j.run_length;
	}
}

/* Each operand fits into the lower half of a lane, so that 16-bit instructions can multiply them. */
INLINE ints multiply_add(ints sum, ints byte, ints weight)
{
#if defined(__AVX512VNNI__)
	return (ints)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)byte, (__m512i)weight);
#elif defined(__AVX2__)
	return sum + (ints)_mm256_madd_epi16((__m256i)byte, (__m256i)weight);
#else
	return sum + byte * weight;
#endif
}

/* The taps are a constant where this is inlined, or not. */
INLINE void depthwise_taps(const int64_t taps, const struct nn_int8_slide *j, const int8_t *weights)
{
	int64_t pixel_bytes = NN_INT8_PIXEL(j->channels);

	for (int64_t channel = 0; channel < j->channels; channel += NN_LANES) {
		for (int64_t y = 0; y < j->height; y++) {
			const uint8_t *from = j->input + y * j->row_step + channel;

			for (int64_t x = 0; x < j->width; x++) {
				ints sum = {0};

				for (int64_t t = 0; t < taps; t++)
					sum = multiply_add(sum, load_bytes(from + j->offsets[t]),
							   load_weights(weights + t * pixel_bytes + channel));
				finish(sum, j, y * j->width + x, channel);
				from += j->column_step;
			}
		}
	}
}

static void depthwise(const struct nn_int8_slide *job, const int8_t *weights)
{
	const struct nn_int8_slide j = *job;

	if (j.runs == 9)
		depthwise_taps(9, &j, weights);
	else
		depthwise_taps(j.runs, &j, weights);
}

/* Four channels at once, because four bytes make a lane. */
static void quantise(const struct nn_int8_row *job)
{
	const struct nn_int8_row j = *job;
	int64_t pixel_bytes = NN_INT8_PIXEL(j.channels);

	for (int64_t channel = 0; channel < j.channels; channel += 4) {
		int64_t count = j.channels - channel < 4 ? j.channels - channel : 4;

		for (int64_t x = 0; x < j.columns; x += NN_LANES) {
			int64_t columns = j.columns - x < NN_LANES ? j.columns - x : NN_LANES;
			uint8_t *to = j.to + x * pixel_bytes + channel;
			ints quads = {0};

			for (int64_t c = 0; c < count; c++)
				quads |= to_bytes(load(j.from + (channel + c) * j.plane + x), &j.means) << (int)(8 * c);
			if (pixel_bytes == 4) {
				memcpy(to, &quads, (size_t)columns * 4);
				continue;
			}
			for (int64_t i = 0; i < columns; i++)
				memcpy(to + i * pixel_bytes, (const char *)&quads + 4 * i, 4);
		}
	}
}

const struct nn_int8_kernels NN_VARIANT = {
    .name = NN_NAME,
    .lanes = NN_LANES,
    .vectors = NN_VECTORS,
    .dense = dense,
    .depthwise = depthwise,
    .quantise = quantise,
};
