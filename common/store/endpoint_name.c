/* The names of callback endpoints: hosts, and how URLs begin. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "job/web_url.h"
#include "store/endpoints.h"

/* True if a segment of the path leads elsewhere than it says, also when its dots are escaped. */
static bool has_dot_segment(const char *path, size_t size)
{
	for (const char *at = path; at < path + size;) {
		size_t dots = 0;

		at++; /* the slash */
		for (;; dots++) {
			if (at < path + size && *at == '.')
				at++;
			else if (path + size - at >= 3 && strncasecmp(at, "%2e", 3) == 0)
				at += 3;
			else
				break;
		}
		if ((dots == 1 || dots == 2) && (at == path + size || *at == '/'))
			return true;
		while (at < path + size && *at != '/')
			at++;
	}
	return false;
}

static int append(char out[ENDPOINTS_PREFIX_SIZE], const char *text, size_t size, struct error *err)
{
	size_t used = strlen(out);

	if (size >= ENDPOINTS_PREFIX_SIZE - used)
		return error_set(err, ERROR_CONFIG, "endpoint: longer than %d bytes", ENDPOINTS_PREFIX_SIZE - 1);
	memcpy(out + used, text, size);
	out[used + size] = '\0';
	return 0;
}

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* Without the port that the scheme has anyway. */
static void drop_default_port(char *origin)
{
	const char *port = strncmp(origin, "https:", 6) == 0 ? ":443" : ":80";
	size_t length = strlen(origin);

	if (length > strlen(port) && strcmp(origin + length - strlen(port), port) == 0)
		origin[length - strlen(port)] = '\0';
}

static int write_url(const char *text, char out[ENDPOINTS_PREFIX_SIZE], struct error *err)
{
	const char *problem = web_url_problem(text);

	if (problem)
		return error_set(err, ERROR_CONFIG, "endpoint: %s", problem);
	const char *path = strstr(text, "://") + 3;
	path += strcspn(path, "/?#");
	size_t size = strcspn(path, "?#");
	int r = append(out, text, (size_t)(path - text), err);

	lower(out);
	drop_default_port(out);
	if (r < 0)
		return r;
	return size == 0 || has_dot_segment(path, size) ? append(out, "/", 1, err) : append(out, path, size, err);
}

static int write_host(const char *text, char out[ENDPOINTS_PREFIX_SIZE], struct error *err)
{
	char url[ENDPOINTS_PREFIX_SIZE + 8];

	if (strlen(text) >= ENDPOINTS_PREFIX_SIZE || text[strcspn(text, "/?#")] != '\0')
		return error_set(err, ERROR_CONFIG, "endpoint: neither a host nor a URL");
	snprintf(url, sizeof(url), "http://%s", text);
	const char *behind = text[0] == '[' ? strchr(text, ']') : text;
	if (web_url_problem(url) || !behind || strchr(behind, ':'))
		return error_set(err, ERROR_CONFIG, "endpoint: neither a host nor a URL");
	int r = append(out, text, strlen(text), err);
	lower(out);
	return r;
}

int endpoints_canonical(const char *text, char out[ENDPOINTS_PREFIX_SIZE], struct error *err)
{
	char canonical[ENDPOINTS_PREFIX_SIZE] = "";
	int r = strstr(text, "://") ? write_url(text, canonical, err) : write_host(text, canonical, err);

	if (r == 0)
		memcpy(out, canonical, sizeof(canonical));
	return r;
}

/* A port begins behind the last bracket. */
static size_t host_length(const char *host)
{
	return *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
}

unsigned endpoints_fit(const char *prefix, const char *url)
{
	size_t length = strlen(prefix);

	if (!strstr(prefix, "://")) {
		const char *host = strstr(url, "://");

		return host && host_length(host + 3) == length && memcmp(host + 3, prefix, length) == 0 ? 1 : 0;
	}
	if (strncmp(url, prefix, length) != 0)
		return 0;
	bool ends = url[length] == '\0' || url[length] == '/' || prefix[length - 1] == '/';
	return ends ? (unsigned)length : 0;
}
