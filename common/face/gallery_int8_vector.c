/* Compiled once for each instruction set, GALLERY_INT8 being the name. */
#include <immintrin.h>
#include <string.h>

#include "face/gallery_int8.h"

/* Sums of so many queries fit into the registers. */
#if defined(__AVX512VNNI__)
#define LANES 16
#define QUERIES 8
#elif defined(__AVX2__)
#define LANES 8
#define QUERIES 4
#else
#define LANES 4
#define QUERIES 2
#endif
/** Of a block. */
#define VECTORS (GALLERY_BLOCK / LANES)
/** Added to each estimate: more than everything that vanishes on the way, where numbers are too small for float32. */
#define TINY 0x1p-90f

#define INLINE static inline __attribute__((always_inline))

typedef int32_t ints __attribute__((vector_size(LANES * 4)));
typedef float floats __attribute__((vector_size(LANES * 4)));
typedef int32_t aligned_ints __attribute__((vector_size(LANES * 4), may_alias));

gallery_int8_function GALLERY_INT8;

INLINE ints splat(int32_t x)
{
	return x - (ints){0};
}

INLINE floats splat_float(float x)
{
	return x - (floats){0};
}

/* Four codes of each row, or of a query, in the form that dot() wants. */
struct quads {
#if defined(__AVX512VNNI__)
	ints all;
#else
	ints evens;
	ints odds;
#endif
};

INLINE struct quads load_rows(const uint8_t *at)
{
	ints w = *(const aligned_ints *)at;

#if defined(__AVX512VNNI__)
	return (struct quads){w};
#elif defined(__AVX2__)
	return (struct quads){w & 0xff00ff, (ints)_mm256_srli_epi16((__m256i)w, 8)};
#else
	return (struct quads){w & 0xff00ff, (ints)_mm_srli_epi16((__m128i)w, 8)};
#endif
}

INLINE struct quads splat_query(const struct gallery_int8_query *query, size_t i)
{
#if defined(__AVX512VNNI__)
	int32_t four;

	memcpy(&four, query->codes + i, sizeof(four));
	return (struct quads){splat(four)};
#else
	int32_t pairs[2];

	memcpy(pairs, query->wide + i, sizeof(pairs));
	return (struct quads){splat(pairs[0]), splat(pairs[1])};
#endif
}

INLINE ints dot(ints sum, struct quads row, struct quads query)
{
#if defined(__AVX512VNNI__)
	return (ints)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)row.all, (__m512i)query.all);
#elif defined(__AVX2__)
	return sum + (ints)_mm256_madd_epi16((__m256i)row.evens, (__m256i)query.evens) +
	       (ints)_mm256_madd_epi16((__m256i)row.odds, (__m256i)query.odds);
#else
	return sum + (ints)_mm_madd_epi16((__m128i)row.evens, (__m128i)query.evens) +
	       (ints)_mm_madd_epi16((__m128i)row.odds, (__m128i)query.odds);
#endif
}

/* A bit for each lane that is below. */
INLINE unsigned below(floats x, float bound)
{
#if defined(__AVX512VNNI__)
	return _mm512_cmp_ps_mask((__m512)x, _mm512_set1_ps(bound), _CMP_LT_OQ);
#elif defined(__AVX2__)
	return (unsigned)_mm256_movemask_ps((__m256)(x < splat_float(bound)));
#else
	return (unsigned)_mm_movemask_ps((__m128)(x < splat_float(bound)));
#endif
}

/* What is not a number is not below. */
INLINE uint16_t mask_of(const ints *sums, const struct gallery_block *block, const struct gallery_int8_query *query,
			float bound)
{
	floats scale = splat_float(block->scale * query->scale);
	floats more = splat_float(query->norm * block->norm + query->residual * block->residual + TINY);
	unsigned mask = 0;

	for (int v = 0; v < VECTORS; v++)
		mask |= below(__builtin_convertvector(sums[v], floats) * scale + more, bound) << (v * LANES);
	return (uint16_t)~mask;
}

/* A block by some queries, a constant where this is inlined. One block at a time: read in one stream, memory is
 * twice as fast as it is in two. */
INLINE void tile(const int query_count, const uint8_t *codes, const struct gallery_block *block, size_t stride,
		 const struct gallery_int8_query *queries, const float *bounds, uint16_t *masks, size_t count)
{
	ints sums[QUERIES][VECTORS];

	for (int q = 0; q < query_count; q++) {
		for (int v = 0; v < VECTORS; v++)
			sums[q][v] = splat(queries[q].start);
	}
	for (size_t i = 0; i < stride; i += 4) {
		struct quads rows[VECTORS];

		for (int v = 0; v < VECTORS; v++)
			rows[v] = load_rows(codes + i * GALLERY_BLOCK + v * LANES * 4);
		for (int q = 0; q < query_count; q++) {
			struct quads query = splat_query(&queries[q], i);

			for (int v = 0; v < VECTORS; v++)
				sums[q][v] = dot(sums[q][v], rows[v], query);
		}
	}
	for (int q = 0; q < query_count; q++)
		masks[q * count] = mask_of(sums[q], block, &queries[q], bounds[q]);
}

void GALLERY_INT8(const uint8_t *codes, const struct gallery_block *blocks, size_t count, size_t stride,
		  const struct gallery_int8_query *queries, size_t query_count, const float *bounds, uint16_t *masks)
{
	for (size_t b = 0; b < count; b++, codes += stride * GALLERY_BLOCK, masks++) {
		size_t q = 0;

		for (; q + QUERIES <= query_count; q += QUERIES)
			tile(QUERIES, codes, &blocks[b], stride, queries + q, bounds + q, masks + q * count, count);
		for (; q + QUERIES / 2 <= query_count; q += QUERIES / 2)
			tile(QUERIES / 2, codes, &blocks[b], stride, queries + q, bounds + q, masks + q * count, count);
		for (; q < query_count; q++)
			tile(1, codes, &blocks[b], stride, queries + q, bounds + q, masks + q * count, count);
	}
}
