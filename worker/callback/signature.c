#include "signature.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.h"

#define KEY_PREFIX "whsec_"
#define KEY_MIN_BYTES 24
#define KEY_MAX_BYTES 64
#define DIGEST_BYTES 32

struct signature_keys {
	unsigned count;
	struct {
		uint8_t bytes[KEY_MAX_BYTES];
		size_t size;
	} keys[SIGNATURE_MAX_KEYS];
};

static int add_key(struct signature_keys *keys, const char *text, size_t length, struct error *err)
{
	/* The longest encoding of a key that is accepted, and what it decodes to at most. */
	uint8_t bytes[(KEY_MAX_BYTES / 3 + 1) * 3];
	const size_t prefix = strlen(KEY_PREFIX);
	unsigned number = keys->count + 1;

	if (keys->count == SIGNATURE_MAX_KEYS)
		return error_set(err, ERROR_CONFIG, "callback.secret: more than %d keys", SIGNATURE_MAX_KEYS);
	if (length < prefix || memcmp(text, KEY_PREFIX, prefix) != 0)
		return error_set(err, ERROR_CONFIG, "callback.secret: key %u does not begin with " KEY_PREFIX, number);
	text += prefix;
	length -= prefix;
	if (length > base64_encoded_size(KEY_MAX_BYTES))
		return error_set(err, ERROR_CONFIG, "callback.secret: key %u is longer than %d bytes", number,
				 KEY_MAX_BYTES);

	int64_t size = base64_decode(text, length, bytes, NULL);
	if (size < 0)
		return error_set(err, ERROR_CONFIG, "callback.secret: key %u is not base64 (padded) after " KEY_PREFIX,
				 number);
	if (size < KEY_MIN_BYTES || size > KEY_MAX_BYTES) {
		OPENSSL_cleanse(bytes, sizeof(bytes));
		return error_set(err, ERROR_CONFIG, "callback.secret: key %u has %d bytes, not %d to %d", number,
				 (int)size, KEY_MIN_BYTES, KEY_MAX_BYTES);
	}
	memcpy(keys->keys[keys->count].bytes, bytes, (size_t)size);
	keys->keys[keys->count].size = (size_t)size;
	keys->count++;
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return 0;
}

int signature_keys_new(struct signature_keys **out, const char *text, struct error *err)
{
	static const char blank[] = " \t\r\n";
	struct signature_keys *keys = calloc(1, sizeof(*keys));
	int r = 0;

	if (!keys)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	for (text += strspn(text, blank); *text && r == 0; text += strspn(text, blank)) {
		size_t length = strcspn(text, blank);
		r = add_key(keys, text, length, err);
		text += length;
	}
	if (r == 0 && keys->count == 0)
		r = error_set(err, ERROR_CONFIG,
			      "callback.secret: no key; callbacks are always signed (make one with: "
			      "echo " KEY_PREFIX "$(openssl rand -base64 32))");
	if (r != 0) {
		signature_keys_free(keys);
		return r;
	}
	*out = keys;
	return 0;
}

void signature_keys_free(struct signature_keys *keys)
{
	if (!keys)
		return;
	OPENSSL_cleanse(keys, sizeof(*keys));
	free(keys);
}

/* Writes the signatures over `content`, the whole signed text. */
static int append_signatures(const struct signature_keys *keys, const struct buffer *content, struct buffer *out)
{
	int r = 0;

	for (unsigned i = 0; i < keys->count && r == 0; i++) {
		uint8_t digest[DIGEST_BYTES];
		char text[(DIGEST_BYTES + 2) / 3 * 4 + 1];

		if (!HMAC(EVP_sha256(), keys->keys[i].bytes, (int)keys->keys[i].size, content->data, content->size,
			  digest, NULL))
			return -ENOMEM;
		base64_encode(digest, sizeof(digest), text);
		r = buffer_printf(out, "%sv1,%s", i == 0 ? "" : " ", text);
	}
	return r;
}

int signature_sign(const struct signature_keys *keys, const char *id, int64_t timestamp, const uint8_t *body,
		   size_t size, struct buffer *out)
{
	cleanup_with(buffer_finish) struct buffer content = {0};
	int r = buffer_printf(&content, "%s.%" PRId64 ".", id, timestamp);

	if (r == 0)
		r = buffer_append(&content, body, size);
	if (r == 0)
		r = append_signatures(keys, &content, out);
	return r;
}
