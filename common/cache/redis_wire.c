#include "cache/redis_wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int redis_wire_command(struct buffer *out, const struct redis_argument *arguments, unsigned count)
{
	int r = buffer_printf(out, "*%u\r\n", count);

	for (unsigned i = 0; i < count && r == 0; i++) {
		r = buffer_printf(out, "$%zu\r\n", arguments[i].size);
		if (r == 0)
			r = buffer_append(out, arguments[i].data, arguments[i].size);
		if (r == 0)
			r = buffer_append(out, "\r\n", 2);
	}
	return r;
}

/* Instead of hiredis's own, which gets no array with more elements than are left; NULL ends the reading. */
static void *create_array(const redisReadTask *task, int elements)
{
	struct redis_wire_reader *r = task->privdata;

	if (elements < 0 || (unsigned)elements > r->max_elements - r->elements)
		return NULL;
	r->elements += (unsigned)elements;
	return r->create_array(task, elements);
}

int redis_wire_reader_init(struct redis_wire_reader *r)
{
	*r = (struct redis_wire_reader){.reader = redisReaderCreate(), .max_elements = REDIS_MAX_ELEMENTS};
	if (!r->reader)
		return -ENOMEM;
	r->functions = *r->reader->fn;
	r->create_array = r->functions.createArray;
	r->functions.createArray = create_array;
	r->reader->fn = &r->functions;
	r->reader->privdata = r;
	return 0;
}

void redis_wire_reader_finish(struct redis_wire_reader *r)
{
	if (r->reader)
		redisReaderFree(r->reader);
	*r = (struct redis_wire_reader){0};
}

int redis_wire_reader_feed(struct redis_wire_reader *r, const void *bytes, size_t size, redisReply **reply)
{
	void *whole = NULL;

	if (size > REDIS_MAX_REPLY_BYTES - r->bytes)
		return -EPROTO;
	r->bytes += size;
	if (redisReaderFeed(r->reader, bytes, size) != REDIS_OK || redisReaderGetReply(r->reader, &whole) != REDIS_OK)
		return -EPROTO;
	if (!whole)
		return 0;
	if (r->reader->pos < r->reader->len) {
		freeReplyObject(whole);
		return -EPROTO;
	}
	r->bytes = 0;
	r->elements = 0;
	*reply = whole;
	return 1;
}

void redis_wire_error_word(const redisReply *reply, char out[REDIS_WIRE_WORD_SIZE])
{
	size_t length = 0;

	while (length < reply->len && reply->str[length] >= 'A' && reply->str[length] <= 'Z')
		length++;
	if (length == 0 || length >= REDIS_WIRE_WORD_SIZE || (length < reply->len && reply->str[length] != ' '))
		snprintf(out, REDIS_WIRE_WORD_SIZE, "ERR");
	else
		snprintf(out, REDIS_WIRE_WORD_SIZE, "%.*s", (int)length, reply->str);
}
