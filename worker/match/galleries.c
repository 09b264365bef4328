#include "galleries.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "obs/log.h"
#include "store/people.h"

/* Persons followed at once: what is read of them is small. */
#define PAGE 1000

struct named_gallery {
	struct named_gallery *next;
	struct gallery *gallery;
	char collection[];
};

struct galleries {
	const char *model_id;
	int dimension;
	pthread_rwlock_t lock; /* the list; galleries only come */
	struct named_gallery *first;
	atomic_bool loaded;
	atomic_uint_fast64_t version;
};

struct galleries *galleries_new(const char *model_id, int dimension)
{
	struct galleries *galleries = calloc(1, sizeof(*galleries));

	if (!galleries)
		return NULL;
	galleries->model_id = model_id;
	galleries->dimension = dimension;
	pthread_rwlock_init(&galleries->lock, NULL);
	return galleries;
}

/* Nobody may be searching: before everything was loaded, nobody is. */
static void clear(struct galleries *galleries)
{
	pthread_rwlock_wrlock(&galleries->lock);
	for (struct named_gallery *next, *named = galleries->first; named; named = next) {
		next = named->next;
		gallery_free(named->gallery);
		free(named);
	}
	galleries->first = NULL;
	pthread_rwlock_unlock(&galleries->lock);
}

void galleries_free(struct galleries *galleries)
{
	if (!galleries)
		return;
	clear(galleries);
	pthread_rwlock_destroy(&galleries->lock);
	free(galleries);
}

struct gallery *galleries_find(struct galleries *galleries, const char *collection)
{
	struct gallery *found = NULL;

	pthread_rwlock_rdlock(&galleries->lock);
	for (struct named_gallery *named = galleries->first; named && !found; named = named->next) {
		if (strcmp(named->collection, collection) == 0)
			found = named->gallery;
	}
	pthread_rwlock_unlock(&galleries->lock);
	return found;
}

static struct gallery *find_or_add(struct galleries *galleries, const char *collection)
{
	struct gallery *found = galleries_find(galleries, collection);

	if (found)
		return found;
	size_t size = strlen(collection) + 1;
	struct named_gallery *named = calloc(1, sizeof(*named) + size);
	if (!named)
		return NULL;
	named->gallery = gallery_new(galleries->dimension);
	if (!named->gallery) {
		free(named);
		return NULL;
	}
	memcpy(named->collection, collection, size);
	pthread_rwlock_wrlock(&galleries->lock);
	named->next = galleries->first;
	galleries->first = named;
	pthread_rwlock_unlock(&galleries->lock);
	return named->gallery;
}

struct gallery_size galleries_size(struct galleries *galleries)
{
	struct gallery_size sum = {0};

	pthread_rwlock_rdlock(&galleries->lock);
	for (struct named_gallery *named = galleries->first; named; named = named->next) {
		struct gallery_size size = gallery_size(named->gallery);
		sum.users += size.users;
		sum.images += size.images;
		sum.bytes += size.bytes;
	}
	pthread_rwlock_unlock(&galleries->lock);
	return sum;
}

bool galleries_are_loaded(struct galleries *galleries)
{
	return atomic_load(&galleries->loaded);
}

uint64_t galleries_version(struct galleries *galleries)
{
	return atomic_load(&galleries->version);
}

/* Who is told of everybody that is seen. */
struct witness {
	galleries_seen_fn *seen;
	void *arg;
};

static int set_person(struct galleries *galleries, const struct witness *witness, const char *collection,
		      const char *user_id, const struct people_person *person, struct error *err)
{
	/* First, so that nobody takes an old copy for the one in the gallery. */
	if (witness->seen(witness->arg, collection, user_id, person->version) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory for the galleries");
	struct gallery *gallery =
	    person->count > 0 ? find_or_add(galleries, collection) : galleries_find(galleries, collection);

	if (!gallery && person->count == 0)
		return 0;
	if (person->count > 0 && person->dimension != galleries->dimension) {
		log_error(NULL, "somebody is left out of the gallery: the stored embeddings have another dimension",
			  log_string("collection", collection), log_integer("dimension", person->dimension));
		return 0;
	}
	int r = gallery ? gallery_set_user(gallery, user_id, person->count, (const char(*)[UUID_SIZE])person->image_ids,
					   person->embeddings)
			: -ENOMEM;
	return r < 0 ? error_set(err, ERROR_INTERNAL, "no memory for the galleries") : 0;
}

/* --- loading: rows come by person --- */

struct loading {
	struct galleries *galleries;
	const struct witness *witness;
	char collection[GALLERY_MAX_USER_BYTES + 1];
	char user_id[GALLERY_MAX_USER_BYTES + 1];
	struct people_person person; /* the one being gathered */
	struct error *err;
};

static int add_gathered(struct loading *l)
{
	int r = l->person.count > 0
		    ? set_person(l->galleries, l->witness, l->collection, l->user_id, &l->person, l->err)
		    : 0;

	l->person.count = 0;
	return r;
}

static bool is_gathered(const struct loading *l, const struct people_row *row)
{
	return l->person.count > 0 && strcmp(l->user_id, row->user_id) == 0 &&
	       strcmp(l->collection, row->collection) == 0;
}

static int gather(void *arg, const struct people_row *row)
{
	struct loading *l = arg;
	struct people_person *p = &l->person;

	if (row->dimension != l->galleries->dimension || strlen(row->user_id) >= sizeof(l->user_id) ||
	    strlen(row->collection) >= sizeof(l->collection) || strlen(row->image_id) >= UUID_SIZE) {
		log_error(NULL, "an image is left out of the gallery: it does not fit the model",
			  log_string("collection", row->collection), log_string("image", row->image_id));
		return 0;
	}
	if (!is_gathered(l, row)) {
		int r = add_gathered(l);
		if (r < 0)
			return r;
		strcpy(l->collection, row->collection);
		strcpy(l->user_id, row->user_id);
		p->version = row->version;
	}
	if (p->count == PEOPLE_MAX_IMAGES)
		return 0;
	strcpy(p->image_ids[p->count], row->image_id);
	memcpy(p->embeddings + (size_t)p->count++ * p->dimension, row->embedding, (size_t)p->dimension * sizeof(float));
	return 0;
}

static int load(struct galleries *galleries, struct store *store, const struct witness *witness, struct error *err)
{
	struct loading loading = {.galleries = galleries, .witness = witness, .err = err};
	int64_t start = clock_monotonic_ms();
	uint64_t version = 0;

	loading.person.dimension = galleries->dimension;
	loading.person.image_ids = calloc(PEOPLE_MAX_IMAGES, sizeof(*loading.person.image_ids));
	loading.person.embeddings = calloc(PEOPLE_MAX_IMAGES, (size_t)galleries->dimension * sizeof(float));
	int r = loading.person.image_ids && loading.person.embeddings
		    ? people_load(store, NULL, galleries->model_id, &version, gather, &loading, err)
		    : error_set(err, ERROR_INTERNAL, "no memory to load the galleries");
	if (r == 0)
		r = add_gathered(&loading);
	people_finish(&loading.person);
	if (r < 0) {
		/* Who is unenrolled before the next try would stay for ever. */
		clear(galleries);
		return r;
	}
	atomic_store(&galleries->version, version);
	atomic_store(&galleries->loaded, true);
	struct gallery_size size = galleries_size(galleries);
	log_info(NULL, "galleries loaded", log_integer("users", (int64_t)size.users),
		 log_integer("images", (int64_t)size.images), log_integer("bytes", (int64_t)size.bytes),
		 log_integer("version", (int64_t)version), log_integer("ms", clock_monotonic_ms() - start));
	return 0;
}

/* --- following --- */

struct page {
	struct change {
		uint64_t version;
		char collection[GALLERY_MAX_USER_BYTES + 1];
		char user_id[GALLERY_MAX_USER_BYTES + 1];
	} * changes;
	unsigned count;
};

static int note_change(void *arg, uint64_t version, const char *collection, const char *user_id)
{
	struct page *page = arg;
	struct change *change = &page->changes[page->count++];

	change->version = version;
	strncpy(change->collection, collection, sizeof(change->collection) - 1);
	strncpy(change->user_id, user_id, sizeof(change->user_id) - 1);
	return 0;
}

static int follow_one(struct galleries *galleries, struct store *store, const struct witness *witness,
		      const struct change *change, struct error *err)
{
	struct people_person person;
	int r = people_find(store, change->collection, change->user_id, galleries->model_id, &person, err);

	if (r == 0)
		r = set_person(galleries, witness, change->collection, change->user_id, &person, err);
	people_finish(&person);
	return r;
}

/* Returns the number of persons followed; PAGE: there may be more. */
static int follow_page(struct galleries *galleries, struct store *store, const struct witness *witness,
		       struct error *err)
{
	struct page page = {.changes = calloc(PAGE, sizeof(*page.changes))};

	if (!page.changes)
		return error_set(err, ERROR_INTERNAL, "no memory to follow the store");
	int r = people_changes(store, galleries_version(galleries), PAGE, note_change, &page, err);
	for (unsigned i = 0; i < page.count && r == 0; i++) {
		r = follow_one(galleries, store, witness, &page.changes[i], err);
		if (r == 0)
			atomic_store(&galleries->version, page.changes[i].version);
	}
	free(page.changes);
	return r < 0 ? r : (int)page.count;
}

int galleries_follow(struct galleries *galleries, struct store *store, galleries_seen_fn *seen, void *arg,
		     struct error *err)
{
	const struct witness witness = {seen, arg};
	uint64_t newest = 0;

	if (!galleries_are_loaded(galleries))
		return load(galleries, store, &witness, err);
	int r = people_version(store, &newest, err);
	if (r == 0 && newest < galleries_version(galleries))
		return error_set(err, ERROR_CONFIG,
				 "the store's people are at version %" PRIu64 " and were at %" PRIu64
				 ": it is another store, or an older copy (then empty Redis, too)",
				 newest, galleries_version(galleries));
	if (r == 0 && newest > galleries_version(galleries)) {
		while ((r = follow_page(galleries, store, &witness, err)) == PAGE)
			;
	}
	return r < 0 ? r : 0;
}
