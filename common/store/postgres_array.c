#include "store/postgres_array.h"

#include <endian.h>

const struct postgres_type postgres_types[] = {
    [DATABASE_INTEGER] = {20, 1016},
    [DATABASE_TEXT] = {25, 1009},
    [DATABASE_BYTES] = {17, 1001},
};

static int append_number(struct buffer *out, uint32_t number)
{
	uint32_t ordered = htobe32(number);

	return buffer_append(out, &ordered, sizeof(ordered));
}

static int append_element(struct buffer *out, const struct database_value *value)
{
	uint64_t integer = htobe64((uint64_t)value->integer);
	const void *data = value->type == DATABASE_INTEGER ? &integer : value->data;
	size_t size = value->type == DATABASE_INTEGER ? sizeof(integer) : value->size;

	if (!data)
		return append_number(out, UINT32_MAX);
	int r = append_number(out, (uint32_t)size);
	return r == 0 ? buffer_append(out, data, size) : r;
}

/* Dimensions, whether there are NULLs, the elements' type, how many, the first's index; then the elements. */
int postgres_array_append(struct buffer *out, const struct database_rows *rows, unsigned column)
{
	const uint32_t head[] = {1, 1, postgres_types[rows->values[column].type].scalar, rows->count, 1};
	int r = 0;

	for (size_t i = 0; r == 0 && i < array_size(head); i++)
		r = append_number(out, head[i]);
	for (unsigned i = 0; r == 0 && i < rows->count; i++)
		r = append_element(out, &rows->values[(size_t)i * rows->columns + column]);
	return r;
}
