#ifndef STORE_POSTGRES_URL_H
#define STORE_POSTGRES_URL_H

#include "base/compiler.h"
#include "base/error.h"

/**
 * Whether libpq can make out the parts of a postgresql:// URL. What it says of one that it cannot quotes the parts it
 * takes them for, and with a misplaced '/', '@' or '%' any of them may be the password's; this quotes nothing. 0, or
 * the errno of `err` (config).
 */
int postgres_url_check(const char *url, struct error *err) must_check;

#endif
