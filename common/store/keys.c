#include "store/keys.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/utf8.h"
#include "obs/log.h"
#include "store/store_private.h"

#define PREFIX "ffk_"
#define ID_DIGITS (KEYS_ID_SIZE - 1)
#define SECRET_BYTES 32
#define SECRET_CHARS 43 /* of base64url without its padding */
#define TEXT_CHARS (sizeof(PREFIX) - 1 + ID_DIGITS + 1 + SECRET_CHARS)

_Static_assert(TEXT_CHARS < KEYS_TEXT_SIZE, "a key has room");
_Static_assert(KEYS_HASH_SIZE == SHA256_DIGEST_LENGTH, "the hash is SHA-256");

/* --- the text of a key --- */

static void hash_secret(const uint8_t secret[SECRET_BYTES], uint8_t hash[KEYS_HASH_SIZE])
{
	SHA256(secret, SECRET_BYTES, hash);
}

/* One alphabet into the other; each has two characters of its own. */
static void translate(char *text, const char *from, const char *to)
{
	for (; *text != '\0'; text++)
		if (*text == from[0])
			*text = to[0];
		else if (*text == from[1])
			*text = to[1];
}

static void write_secret(const uint8_t secret[SECRET_BYTES], char out[SECRET_CHARS + 2])
{
	base64_encode(secret, SECRET_BYTES, out);
	out[SECRET_CHARS] = '\0'; /* the padding */
	translate(out, "+/", "-_");
}

static bool read_secret(const char *text, uint8_t hash[KEYS_HASH_SIZE])
{
	uint8_t secret[(SECRET_CHARS / 4 + 1) * 3];
	char padded[SECRET_CHARS + 2];

	if (strcspn(text, "+/=") != SECRET_CHARS)
		return false;
	snprintf(padded, sizeof(padded), "%s=", text);
	translate(padded, "-_", "+/");
	bool good = base64_decode(padded, SECRET_CHARS + 1, secret, NULL) == SECRET_BYTES;
	if (good)
		hash_secret(secret, hash);
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(padded, sizeof(padded));
	return good;
}

bool keys_is_id(const char *text)
{
	return strlen(text) == ID_DIGITS && strspn(text, "0123456789abcdef") == ID_DIGITS;
}

bool keys_parse(const char *text, char id[KEYS_ID_SIZE], uint8_t hash[KEYS_HASH_SIZE])
{
	char found[KEYS_ID_SIZE];

	if (strnlen(text, TEXT_CHARS + 1) != TEXT_CHARS || strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return false;
	text += strlen(PREFIX);
	snprintf(found, sizeof(found), "%s", text);
	if (!keys_is_id(found) || text[ID_DIGITS] != '_' || !read_secret(text + ID_DIGITS + 1, hash))
		return false;
	memcpy(id, found, sizeof(found));
	return true;
}

/* --- scopes --- */

static const struct {
	const char *name;
	enum key_scope scope;
} scope_names[] = {
    {"match", KEY_MATCH},       {"enroll", KEY_ENROLL}, {"read_all", KEY_READ_ALL},
    {"schedule", KEY_SCHEDULE}, {"admin", KEY_ADMIN},
};

static unsigned scope_of(const char *word, size_t length)
{
	for (size_t i = 0; i < array_size(scope_names); i++)
		if (strlen(scope_names[i].name) == length && memcmp(scope_names[i].name, word, length) == 0)
			return scope_names[i].scope;
	return 0;
}

int keys_scopes_parse(const char *text, unsigned *scopes, struct error *err)
{
	unsigned found = 0;

	for (const char *word = text;;) {
		size_t length = strcspn(word, ",");
		unsigned scope = scope_of(word, length);

		if (scope == 0)
			return error_set(err, ERROR_CONFIG,
					 "scopes: \"%.*s\" is none of match, enroll, read_all, schedule, admin",
					 length > 32 ? 32 : (int)length, word);
		found |= scope;
		if (word[length] == '\0')
			break;
		word += length + 1;
	}
	*scopes = found;
	return 0;
}

void keys_scopes_print(unsigned scopes, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < array_size(scope_names); i++)
		if ((scopes & scope_names[i].scope) && used < size)
			used +=
			    (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? "," : "", scope_names[i].name);
}

/* --- the table --- */

#define COLUMNS "key_id, name, hash, scopes, rate_milli, burst_milli, created, revoked, collections"

/* False for a row that no keys_create() made. */
static bool read_row(const struct database_row *row, struct api_key *key)
{
	size_t size;
	const void *hash = database_row_bytes(row, 2, &size);

	*key = (struct api_key){
	    .scopes = (unsigned)database_row_integer(row, 3),
	    .rate = (double)database_row_integer(row, 4) / 1000,
	    .burst = (double)database_row_integer(row, 5) / 1000,
	    .created_at_ms = database_row_integer(row, 6),
	    .revoked_at_ms = database_row_integer(row, 7),
	};
	snprintf(key->id, sizeof(key->id), "%s", database_row_text(row, 0));
	snprintf(key->name, sizeof(key->name), "%s", database_row_text(row, 1));
	if (!hash || size != KEYS_HASH_SIZE || !keys_is_id(database_row_text(row, 0)) || key->rate < 0 ||
	    key->burst < 0 || !key_collections_read(&key->collections, database_row_text(row, 8))) {
		log_error(NULL, "a stored API key is damaged and left out", log_string("key", key->id));
		return false;
	}
	memcpy(key->hash, hash, KEYS_HASH_SIZE);
	return true;
}

static int check(const struct key_wish *wish, struct error *err)
{
	const char *name = wish->name;
	size_t length = strlen(name);

	if (length == 0 || length > KEYS_MAX_NAME_BYTES || !utf8_is_valid(name, length))
		return error_set(err, ERROR_CONFIG, "a key's name has 1 to %d bytes of UTF-8", KEYS_MAX_NAME_BYTES);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return error_set(err, ERROR_CONFIG, "a key's name has no control characters");
	if (wish->scopes == 0)
		return error_set(err, ERROR_CONFIG, "a key without scopes opens nothing");
	if (!(wish->rate >= 0 && wish->rate <= KEYS_MAX_RATE) || !(wish->burst >= 0 && wish->burst <= KEYS_MAX_RATE))
		return error_set(err, ERROR_CONFIG, "rate and burst go from 0 to %d", KEYS_MAX_RATE);
	if (wish->burst > 0 && wish->burst < 1)
		return error_set(err, ERROR_CONFIG, "a burst below 1 would let no request through");
	return 0;
}

static void make_secret(struct api_key *key, char text[KEYS_TEXT_SIZE])
{
	uint8_t id[ID_DIGITS / 2];
	uint8_t secret[SECRET_BYTES];
	char written[SECRET_CHARS + 2];

	random_bytes(id, sizeof(id));
	random_bytes(secret, sizeof(secret));
	for (size_t i = 0; i < sizeof(id); i++)
		snprintf(key->id + 2 * i, 3, "%02x", id[i]);
	hash_secret(secret, key->hash);
	write_secret(secret, written);
	snprintf(text, KEYS_TEXT_SIZE, PREFIX "%s_%s", key->id, written);
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(written, sizeof(written));
}

static int insert(struct store *store, const struct api_key *key, struct error *err)
{
	const struct database_value values[] = {database_text(key->id),
						database_text(key->name),
						database_bytes(key->hash, sizeof(key->hash)),
						database_integer(key->scopes),
						database_integer(llround(key->rate * 1000)),
						database_integer(llround(key->burst * 1000)),
						database_integer(key->created_at_ms),
						database_text(key->collections.text)};

	return database_write(
	    store->database,
	    &(struct database_statement){.sql = "INSERT INTO api_keys (key_id, name, hash, scopes, rate_milli,"
						" burst_milli, created, collections)"
						" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
					 .values = values,
					 .value_count = array_size(values)},
	    err);
}

int keys_create(struct store *store, const struct key_wish *wish, char text[KEYS_TEXT_SIZE], struct api_key *key,
		struct error *err)
{
	struct api_key made = {.scopes = wish->scopes,
			       .rate = wish->rate,
			       .burst = wish->burst,
			       .collections = wish->collections,
			       .created_at_ms = clock_unix_ms()};
	char made_text[KEYS_TEXT_SIZE];
	int r = check(wish, err);

	if (r == 0 && made.collections.text[0] == '\0')
		r = key_collections_add(&made.collections, "default", err);
	if (r < 0)
		return r;
	snprintf(made.name, sizeof(made.name), "%s", wish->name);
	make_secret(&made, made_text);
	r = insert(store, &made, err);
	if (r == 0) {
		memcpy(text, made_text, KEYS_TEXT_SIZE);
		*key = made;
	}
	OPENSSL_cleanse(made_text, sizeof(made_text));
	return r;
}

struct finding {
	struct api_key *key;
	bool found;
};

static int note_key(void *arg, const struct database_row *row, struct error *err)
{
	struct finding *finding = arg;

	(void)err;
	finding->found = read_row(row, finding->key);
	return 0;
}

int keys_find(struct store *store, const char *id, struct api_key *key, bool *found, struct error *err)
{
	const struct database_value values[] = {database_text(id)};
	struct api_key row;
	struct finding finding = {.key = &row};
	int r = database_read(store->database,
			      &(struct database_statement){.sql = "SELECT " COLUMNS " FROM api_keys WHERE key_id = $1",
							   .values = values,
							   .value_count = array_size(values),
							   .fn = note_key,
							   .arg = &finding},
			      err);

	if (r == 0)
		*found = finding.found;
	if (r == 0 && finding.found)
		*key = row;
	return r;
}

struct listing {
	key_fn *fn;
	void *arg;
};

static int pass_key(void *arg, const struct database_row *row, struct error *err)
{
	const struct listing *listing = arg;
	struct api_key key;

	return read_row(row, &key) ? listing->fn(listing->arg, &key, err) : 0;
}

int keys_list(struct store *store, key_fn *fn, void *arg, struct error *err)
{
	struct listing listing = {fn, arg};

	return database_read(
	    store->database,
	    &(struct database_statement){
		.sql = "SELECT " COLUMNS " FROM api_keys ORDER BY created, key_id", .fn = pass_key, .arg = &listing},
	    err);
}

int keys_revoke(struct store *store, const char *id, int64_t now_ms, bool *found, struct error *err)
{
	const struct database_value values[] = {database_text(id), database_integer(now_ms)};
	bool any = false;
	int r = database_write(
	    store->database,
	    &(struct database_statement){.sql = "UPDATE api_keys SET revoked = CASE WHEN revoked > 0 THEN revoked"
						" ELSE $2 END WHERE key_id = $1 RETURNING key_id",
					 .values = values,
					 .value_count = array_size(values),
					 .fn = database_note_row,
					 .arg = &any},
	    err);

	if (r == 0)
		*found = any;
	return r;
}
