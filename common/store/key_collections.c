#include "store/key_collections.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

bool key_collections_next(const struct key_collections *collections, const char **place,
			  char name[JOB_MAX_COLLECTION_BYTES + 1])
{
	const char *begin = !*place ? collections->text : **place == '\n' ? *place + 1 : *place;
	size_t length = strcspn(begin, "\n");

	if (length == 0 || length > JOB_MAX_COLLECTION_BYTES)
		return false;
	memcpy(name, begin, length);
	name[length] = '\0';
	*place = begin + length;
	return true;
}

/* How many there are; `found`: whether `name` is among them. */
static unsigned look_for(const struct key_collections *collections, const char *name, bool *found)
{
	char other[JOB_MAX_COLLECTION_BYTES + 1];
	const char *place = NULL;
	unsigned count = 0;

	*found = false;
	for (; key_collections_next(collections, &place, other); count++)
		*found = *found || strcmp(other, name) == 0;
	return count;
}

static bool is_all(const struct key_collections *collections)
{
	return strcmp(collections->text, KEY_COLLECTIONS_ALL) == 0;
}

bool key_collections_have(const struct key_collections *collections, const char *name)
{
	bool found;

	look_for(collections, name, &found);
	return found || is_all(collections);
}

static int check(const char *name, struct error *err)
{
	size_t length = strnlen(name, JOB_MAX_COLLECTION_BYTES + 1);

	if (length == 0 || length > JOB_MAX_COLLECTION_BYTES || !utf8_is_valid(name, length))
		return error_set(err, ERROR_CONFIG, "collection: a name has 1 to %d bytes of UTF-8",
				 JOB_MAX_COLLECTION_BYTES);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return error_set(err, ERROR_CONFIG,
					 "collection: a name that a key is limited to has no control characters");
	return 0;
}

int key_collections_add(struct key_collections *collections, const char *name, struct error *err)
{
	size_t used = strlen(collections->text);
	int r = check(name, err);
	bool found;

	if (r < 0)
		return r;
	unsigned count = look_for(collections, name, &found);
	if (strcmp(name, KEY_COLLECTIONS_ALL) == 0)
		*collections = (struct key_collections){.text = KEY_COLLECTIONS_ALL};
	else if (found || is_all(collections))
		return 0;
	else if (count == KEY_COLLECTIONS_MAX)
		return error_set(err, ERROR_CONFIG, "collection: a key has at most %d of them: give it * for all",
				 KEY_COLLECTIONS_MAX);
	else
		snprintf(collections->text + used, sizeof(collections->text) - used, "%s%s", used > 0 ? "\n" : "",
			 name);
	return 0;
}

bool key_collections_read(struct key_collections *out, const char *text)
{
	struct key_collections given = {0}, built = {0};
	char name[JOB_MAX_COLLECTION_BYTES + 1];
	const char *place = NULL;

	if (strnlen(text, sizeof(given.text)) == sizeof(given.text))
		return false;
	memcpy(given.text, text, strlen(text));
	while (key_collections_next(&given, &place, name))
		if (key_collections_add(&built, name, NULL) < 0)
			return false;
	if (built.text[0] == '\0' || strcmp(built.text, given.text) != 0)
		return false;
	*out = built;
	return true;
}
