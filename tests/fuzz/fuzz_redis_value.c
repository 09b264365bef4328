#include <stdint.h>
#include <stdlib.h>

#include "cache/people_entry.h"
#include "cache/redis_wire.h"

enum { DIMENSION = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken can be written down and read again. */
static void write_and_read(const struct people_person *person)
{
	struct buffer entry = {0};
	struct people_person copy;

	if (people_entry_write(person, &entry) < 0 || people_entry_read(entry.data, entry.size, &copy) < 0)
		abort();
	if (copy.version != person->version || copy.count != person->count || copy.count > PEOPLE_MAX_IMAGES)
		abort();
	people_finish(&copy);
	buffer_finish(&entry);
}

/*
 * What Redis sends, in two pieces (the first byte says where it is cut), as far as the person in the answer to an
 * HGETALL.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct redis_wire_reader reader;
	struct people_person person;
	char word[REDIS_WIRE_WORD_SIZE];
	redisReply *reply;

	if (size == 0)
		return 0;
	size_t cut = data[0] < size ? data[0] : size - 1;
	if (redis_wire_reader_init(&reader) < 0)
		return 0;
	int r = redis_wire_reader_feed(&reader, data + 1, cut, &reply);
	if (r == 0)
		r = redis_wire_reader_feed(&reader, data + 1 + cut, size - 1 - cut, &reply);
	redis_wire_reader_finish(&reader);
	if (r != 1)
		return 0;
	if (reply->type == REDIS_REPLY_ERROR)
		redis_wire_error_word(reply, word);
	if (people_entry_read_hash(reply, DIMENSION, &person) == 0) {
		write_and_read(&person);
		people_finish(&person);
	}
	freeReplyObject(reply);
	return 0;
}
