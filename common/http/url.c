#include "http/url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int parts_to_origin(CURLU *parts, const char *url, char out[HTTP_ORIGIN_SIZE])
{
	char *scheme = NULL;
	char *host = NULL;
	char *port = NULL;
	int r = -EINVAL;

	if (curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		goto done;
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
		r = -EPROTONOSUPPORT;
		goto done;
	}
	if (curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		goto done;
	for (char *c = host; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (snprintf(out, HTTP_ORIGIN_SIZE, "%s://%s:%s", scheme, host, port) < HTTP_ORIGIN_SIZE)
		r = 0;
done:
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	return r;
}

int http_url_origin(const char *url, char out[HTTP_ORIGIN_SIZE])
{
	CURLU *parts = curl_url();

	if (!parts)
		return -EINVAL;
	int r = parts_to_origin(parts, url, out);
	curl_url_cleanup(parts);
	return r;
}
