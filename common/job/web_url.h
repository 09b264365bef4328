#ifndef JOB_WEB_URL_H
#define JOB_WEB_URL_H

/**
 * Checks an image or callback URL: http or https, at most JOB_MAX_URL_BYTES of printable ASCII, a
 * host name or address, a sensible port, no user name or password. Where it leads is not looked
 * at; that is the fetcher's business. Returns NULL if it is fine, otherwise a phrase such as
 * "has no host". Static storage.
 */
const char *web_url_problem(const char *url);

#endif
