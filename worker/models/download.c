#include "download.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/evp.h>

#include "base/stop.h"
#include "version.h"

#define CONNECT_TIMEOUT_S 30L
#define STANDSTILL_S 60L
#define MAX_REDIRECTS 10L
/* Left alone on the disk. */
#define SPARE_BYTES (1 << 20)

/* A download under way. */
struct fetch {
	const struct download *download;
	char part[PATH_MAX];
	int fd;
	CURL *easy;
	int64_t begin; /* where this answer is to begin */
	int64_t got;   /* bytes in the .part */
	bool began;    /* the answer's status and length were looked at */
	int64_t range; /* where the answer says it begins; -1: it does not say */
	long status;   /* of an answer that is no file; 0: none */
	int64_t wrong_size;
	int write_error;
};

static int out_of_place(const struct fetch *f, struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "%s: %s", f->part, strerror(errno));
}

static int hash_file(int fd, char out[65])
{
	uint8_t block[65536];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	ssize_t n;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 && lseek(fd, 0, SEEK_SET) == 0;

	while (good && (n = read(fd, block, sizeof(block))) != 0)
		good = n > 0 && EVP_DigestUpdate(ctx, block, (size_t)n) == 1;
	good = good && EVP_DigestFinal_ex(ctx, digest, &length) == 1;
	EVP_MD_CTX_free(ctx);
	for (unsigned i = 0; i < length; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return good ? 0 : -EIO;
}

/* True if the file is there, with that content. */
static bool is_there(const struct download *d)
{
	char sha256[65] = "";
	int fd = open(d->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	bool there = hash_file(fd, sha256) == 0 && strcmp(sha256, d->sha256) == 0;
	close(fd);
	return there;
}

static size_t on_header(char *bytes, size_t one, size_t size, void *arg)
{
	static const char name[] = "content-range: bytes ";
	struct fetch *f = arg;

	(void)one;
	if (size > 5 && memcmp(bytes, "HTTP/", 5) == 0)
		f->range = -1; /* the next answer, after a redirect */
	if (size > sizeof(name) && strncasecmp(bytes, name, sizeof(name) - 1) == 0)
		f->range = strtoll(bytes + sizeof(name) - 1, NULL, 10);
	return size;
}

/* Looks at the answer before its first byte is written. False: it is not what was asked for. */
static bool begin(struct fetch *f)
{
	curl_off_t length = -1;
	long status = 0;

	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (status != 200 && status != 206) {
		f->status = status;
		return false;
	}
	f->got = status == 206 ? f->begin : 0;
	if ((status == 206 && f->range != f->begin) || ftruncate(f->fd, f->got) < 0 ||
	    lseek(f->fd, f->got, SEEK_SET) < 0) {
		f->write_error = status == 206 ? EPROTO : errno;
		return false;
	}
	if (length >= 0 && f->got + length != f->download->size) {
		f->wrong_size = f->got + length;
		return false;
	}
	return true;
}

/* Less than `size` makes curl end the transfer. */
static size_t on_body(char *bytes, size_t one, size_t size, void *arg)
{
	struct fetch *f = arg;

	(void)one;
	if (!f->began && !begin(f))
		return 0;
	f->began = true;
	if (f->got + (int64_t)size > f->download->size) {
		f->wrong_size = f->got + (int64_t)size;
		return 0;
	}
	for (size_t done = 0; done < size;) {
		ssize_t n = write(f->fd, bytes + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			f->write_error = n < 0 ? errno : ENOSPC;
			return 0;
		}
		done += (size_t)n;
		f->got += n;
	}
	return size;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct fetch *f = arg;

	(void)total;
	(void)now;
	(void)up_total;
	(void)up_now;
	if (f->download->progress && f->began)
		f->download->progress(f->download->arg, f->got, f->download->size);
	return stop_requested();
}

static bool prepare(struct fetch *f, char range[32])
{
	const char *protocols = strncmp(f->download->url, "https:", 6) == 0 ? "https" : "http,https";
	CURLcode r = CURLE_OK;

#define SET(option, value)                                                                                             \
	do {                                                                                                           \
		if (r == CURLE_OK)                                                                                     \
			r = curl_easy_setopt(f->easy, CURLOPT_##option, value);                                        \
	} while (0)
	SET(URL, f->download->url);
	SET(PROTOCOLS_STR, protocols);
	SET(REDIR_PROTOCOLS_STR, protocols);
	SET(FOLLOWLOCATION, 1L);
	SET(MAXREDIRS, MAX_REDIRECTS);
	SET(USERAGENT, "facefleet-models/" FACEFLEET_VERSION);
	SET(NOSIGNAL, 1L);
	SET(CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	SET(LOW_SPEED_LIMIT, 1L);
	SET(LOW_SPEED_TIME, STANDSTILL_S);
	SET(HEADERFUNCTION, on_header);
	SET(HEADERDATA, f);
	SET(WRITEFUNCTION, on_body);
	SET(WRITEDATA, f);
	SET(NOPROGRESS, 0L);
	SET(XFERINFOFUNCTION, on_progress);
	SET(XFERINFODATA, f);
	if (f->begin > 0) {
		snprintf(range, 32, "%" PRId64 "-", f->begin);
		SET(RANGE, range);
	}
#undef SET
	return r == CURLE_OK;
}

static int explain_cut(const struct fetch *f, const char *why, struct error *err)
{
	const struct download *d = f->download;

	if (f->got == 0)
		return error_set(err, ERROR_CONNECTION, "%.150s: %s", d->url, why);
	return error_set(err, ERROR_CONNECTION,
			 "cut off after %" PRId64 " of %" PRId64
			 " bytes (%s); they are kept, the same command goes on there",
			 f->got, d->size, why);
}

static int explain(struct fetch *f, CURLcode code, struct error *err)
{
	const struct download *d = f->download;

	if (stop_requested())
		return explain_cut(f, "interrupted", err);
	if (f->status == 416)
		f->got = 0; /* the .part is longer than what there is: begin anew the next time */
	if (f->status)
		return error_set(err, ERROR_CONNECTION, "%.180s: the server answers %ld", d->url, f->status);
	if (f->wrong_size) {
		f->got = 0; /* nothing of it is worth keeping */
		return error_set(err, ERROR_MODEL, "%.120s: it has %s%" PRId64 " bytes, %" PRId64 " are expected",
				 d->url, f->began ? "at least " : "", f->wrong_size, d->size);
	}
	if (f->write_error == EPROTO)
		return error_set(err, ERROR_CONNECTION, "%.120s: the server sent another range than was asked for",
				 d->url);
	if (f->write_error) {
		errno = f->write_error;
		return out_of_place(f, err);
	}
	return explain_cut(f, curl_easy_strerror(code), err);
}

static int transfer(struct fetch *f, struct error *err)
{
	char range[32];
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long status = 0;

	f->begin = f->got;
	f->easy = curl_easy_init();
	if (f->easy && prepare(f, range)) {
		code = curl_easy_perform(f->easy);
		curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
		/* An answer without a body was not looked at yet. */
		if (code == CURLE_OK && !f->began)
			f->status = status;
	}
	int r = code == CURLE_OK && f->got == f->download->size ? 0 : explain(f, code, err);
	curl_easy_cleanup(f->easy);
	return r;
}

static int check_room(const struct fetch *f, struct error *err)
{
	int64_t missing = f->download->size - f->got;
	struct statvfs disk;

	if (fstatvfs(f->fd, &disk) < 0 || (int64_t)(disk.f_bavail * disk.f_frsize) >= missing + SPARE_BYTES)
		return 0;
	return error_set(err, ERROR_INTERNAL, "%s: the disk has no room for %" PRId64 " bytes more", f->part, missing);
}

static int check_content(struct fetch *f, struct error *err)
{
	const struct download *d = f->download;
	char sha256[65] = "";

	if (hash_file(f->fd, sha256) < 0)
		return out_of_place(f, err);
	if (strcmp(sha256, d->sha256) != 0) {
		f->got = 0;
		return error_set(err, ERROR_MODEL, "%.60s: its SHA-256 is %s, %s is expected", d->url, sha256,
				 d->sha256);
	}
	if (fsync(f->fd) < 0 || rename(f->part, d->path) < 0)
		return out_of_place(f, err);
	return 0;
}

static int open_part(struct fetch *f, struct error *err)
{
	struct stat stat;

	if ((size_t)snprintf(f->part, sizeof(f->part), "%s.part", f->download->path) >= sizeof(f->part))
		return error_set(err, ERROR_INTERNAL, "%.200s: the path is too long", f->download->path);
	f->fd = open(f->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (f->fd < 0)
		return out_of_place(f, err);
	if (fstat(f->fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size <= f->download->size)
		f->got = stat.st_size;
	return 0;
}

int download_run(const struct download *download, struct error *err)
{
	struct fetch f = {.download = download, .fd = -1, .range = -1};

	if (is_there(download))
		return 0;
	int r = open_part(&f, err);
	if (r < 0)
		return r;
	if (f.got < download->size) {
		r = check_room(&f, err);
		if (r == 0)
			r = transfer(&f, err);
	}
	if (r == 0)
		r = check_content(&f, err);
	if (r < 0 && f.got == 0)
		unlink(f.part);
	close(f.fd);
	return r;
}
