#include "store/postgres_url.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <string.h>

/* One @ at most, between credentials and host: another is part of something that was not encoded. */
static bool is_at_sign_in_place(const char *url)
{
	const char *authority = strstr(url, "://");

	if (!authority)
		return false;
	authority += 3;
	const char *path = authority + strcspn(authority, "/?");
	const char *query = path + strcspn(path, "?");
	const char *first = memchr(authority, '@', (size_t)(query - authority));
	return !first || (first < path && !memchr(first + 1, '@', (size_t)(query - first - 1)));
}

/* Of several hosts, ports are separated by commas. */
static bool has_numeric_ports(const PQconninfoOption *options)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, "port") == 0 && options->val)
			return options->val[strspn(options->val, "0123456789,")] == '\0';
	return true;
}

int postgres_url_check(const char *url, struct error *err)
{
	PQconninfoOption *options = is_at_sign_in_place(url) ? PQconninfoParse(url, NULL) : NULL;
	bool can_be_read = options && has_numeric_ports(options);

	PQconninfoFree(options);
	if (can_be_read)
		return 0;
	return error_set(err, ERROR_CONFIG,
			 "the store's URL cannot be read; in a user name or password, write %% / @ : ? as %%25 %%2F "
			 "%%40 %%3A %%3F");
}
