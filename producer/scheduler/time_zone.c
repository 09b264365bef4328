#include "time_zone.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "calendar.h"
#include "zone_rule.h"

#define FOLDER "/usr/share/zoneinfo"
#define MAX_FILE_BYTES (256u << 10)
#define HEADER_SIZE 44
#define TYPE_SIZE 6
#define MAX_CHANGES 4096
#define MAX_TYPES 256
#define MAX_RULE_BYTES 128
/* RFC 8536 asks readers for no more than a day and a bit. */
#define MAX_OFFSET_S 93599
/* Further from a change than any clock is from Greenwich. */
#define PROBE_S (2 * CALENDAR_DAY_S)

struct change {
	int64_t at_s;
	int32_t offset_s; /* from then on */
};

struct time_zone {
	int32_t first_s; /* offset before the first change */
	bool has_rule;   /* for the time after the last change */
	struct zone_rule rule;
	size_t count;
	struct change changes[];
};

/* --- files --- */

/* The numbers of a header, in its order. */
struct counts {
	uint32_t ut, standard, leap, change, type, name;
};

struct reader {
	const uint8_t *at;
	size_t left;
};

static uint64_t read_integer(const uint8_t *at, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

static bool skip(struct reader *reader, size_t size)
{
	if (size > reader->left)
		return false;
	reader->at += size;
	reader->left -= size;
	return true;
}

static bool read_header(struct reader *reader, struct counts *counts)
{
	const uint8_t *at = reader->at;
	uint32_t *const fields[] = {&counts->ut,     &counts->standard, &counts->leap,
				    &counts->change, &counts->type,     &counts->name};

	/* The first version has 32 bits for a time, and ends in 2038. Files with leap seconds ("right/…") count other
	 * seconds than this system's clock. */
	if (!skip(reader, HEADER_SIZE) || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
		return false;
	for (size_t i = 0; i < array_size(fields); i++)
		*fields[i] = (uint32_t)read_integer(at + 20 + 4 * i, 4);
	return counts->change <= MAX_CHANGES && counts->type >= 1 && counts->type <= MAX_TYPES &&
	       counts->name <= MAX_FILE_BYTES && counts->leap == 0 && counts->ut <= MAX_TYPES &&
	       counts->standard <= MAX_TYPES;
}

static size_t body_size(const struct counts *counts, size_t time_size)
{
	return counts->change * (time_size + 1) + (size_t)counts->type * TYPE_SIZE + counts->name +
	       counts->leap * (time_size + 4) + counts->standard + counts->ut;
}

static bool read_changes(struct time_zone *zone, const uint8_t *at, const struct counts *counts)
{
	const uint8_t *indexes = at + (size_t)counts->change * 8;
	const uint8_t *types = indexes + counts->change;
	int32_t offsets[MAX_TYPES];

	for (uint32_t i = 0; i < counts->type; i++) {
		offsets[i] = (int32_t)read_integer(types + (size_t)i * TYPE_SIZE, 4);
		if (offsets[i] < -MAX_OFFSET_S || offsets[i] > MAX_OFFSET_S)
			return false;
	}
	zone->first_s = offsets[0];
	zone->count = counts->change;
	for (uint32_t i = 0; i < counts->change; i++) {
		struct change *change = &zone->changes[i];
		change->at_s = (int64_t)read_integer(at + (size_t)i * 8, 8);
		if (indexes[i] >= counts->type || (i > 0 && change->at_s <= change[-1].at_s))
			return false;
		change->offset_s = offsets[indexes[i]];
	}
	return true;
}

/* "\n", what POSIX would have in $TZ, and "\n"; nothing between them: no rule is known. */
static bool read_rule(struct time_zone *zone, const struct reader *reader)
{
	const uint8_t *end = reader->left > 1 ? memchr(reader->at + 1, '\n', reader->left - 1) : NULL;
	char text[MAX_RULE_BYTES];

	if (!end || reader->at[0] != '\n')
		return false;
	size_t size = (size_t)(end - reader->at) - 1;
	if (size >= sizeof(text))
		return false;
	memcpy(text, reader->at + 1, size);
	text[size] = '\0';
	zone->has_rule = size > 0;
	return size == 0 || zone_rule_parse(&zone->rule, text) == 0;
}

static struct time_zone *read_zone(struct reader *reader)
{
	struct counts counts;
	struct time_zone *zone = NULL;

	/* The same twice: for old readers, and with 64 bits. */
	if (!read_header(reader, &counts) || !skip(reader, body_size(&counts, 4)) || !read_header(reader, &counts))
		return NULL;
	const uint8_t *body = reader->at;
	if (skip(reader, body_size(&counts, 8)))
		zone = calloc(1, sizeof(*zone) + counts.change * sizeof(struct change));
	if (zone && read_changes(zone, body, &counts) && read_rule(zone, reader))
		return zone;
	free(zone);
	return NULL;
}

int time_zone_read(struct time_zone **out, const uint8_t *bytes, size_t size, struct error *err)
{
	struct reader reader = {bytes, size};
	struct time_zone *zone = read_zone(&reader);

	if (!zone)
		return error_set(err, ERROR_CONFIG, "not a time zone of the system's database");
	*out = zone;
	return 0;
}

/* Names come from outside and become paths: no way may lead out of the folder. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= TIME_ZONE_NAME_SIZE || !isalpha((unsigned char)name[0]) || strstr(name, "//"))
		return false;
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
		      strchr("_+-/", *c)))
			return false;
	return name[length - 1] != '/';
}

static int load_file(struct time_zone **out, const char *name, struct error *err)
{
	struct buffer bytes = {0};
	char path[sizeof(FOLDER) + TIME_ZONE_NAME_SIZE];

	snprintf(path, sizeof(path), FOLDER "/%s", name);
	if (access(FOLDER, X_OK) != 0)
		return error_set(err, ERROR_CONFIG, "time zone: the system has no " FOLDER " (install tzdata)");
	if (buffer_read_file(&bytes, path, MAX_FILE_BYTES, NULL) < 0) {
		buffer_finish(&bytes);
		return error_set(err, ERROR_CONFIG, "time zone: there is no %s", name);
	}
	int r = time_zone_read(out, bytes.data, bytes.size, err);
	if (r < 0)
		error_prefix(err, "time zone: %s", name);
	buffer_finish(&bytes);
	return r;
}

int time_zone_load(struct time_zone **out, const char *name, struct error *err)
{
	if (name[0] != '\0' && strcmp(name, "UTC") != 0)
		return is_name(name)
			   ? load_file(out, name, err)
			   : error_set(err, ERROR_CONFIG,
				       "time zone: must be a name such as Europe/Berlin, of at most %d characters",
				       TIME_ZONE_NAME_SIZE - 1);
	struct time_zone *utc = calloc(1, sizeof(*utc));
	if (!utc)
		return error_set(err, ERROR_INTERNAL, "no memory for a time zone");
	*out = utc;
	return 0;
}

void time_zone_free(struct time_zone *zone)
{
	free(zone);
}

/* --- asking --- */

int32_t time_zone_offset(const struct time_zone *zone, int64_t unix_s)
{
	size_t low = 0;
	size_t high = zone->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (zone->changes[middle].at_s <= unix_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->count && zone->has_rule)
		return zone_rule_offset(&zone->rule, unix_s);
	return low == 0 ? zone->first_s : zone->changes[low - 1].offset_s;
}

int64_t time_zone_change(const struct time_zone *zone, int64_t from_s, int64_t to_s)
{
	int32_t offset = time_zone_offset(zone, from_s);

	while (to_s - from_s > 1) {
		int64_t middle = from_s + (to_s - from_s) / 2;
		if (time_zone_offset(zone, middle) == offset)
			from_s = middle;
		else
			to_s = middle;
	}
	return to_s;
}

int64_t time_zone_to_unix(const struct time_zone *zone, int64_t local_s)
{
	int64_t before = local_s - time_zone_offset(zone, local_s - PROBE_S);
	int64_t after = local_s - time_zone_offset(zone, local_s + PROBE_S);
	int64_t first = before < after ? before : after;
	int64_t second = before < after ? after : before;

	if (first + time_zone_offset(zone, first) == local_s)
		return first;
	if (second + time_zone_offset(zone, second) == local_s)
		return second;
	/* Left out: the clocks are put forward between both. */
	return time_zone_change(zone, first, second);
}
