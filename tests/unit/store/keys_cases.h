#ifndef UNIT_STORE_KEYS_CASES_H
#define UNIT_STORE_KEYS_CASES_H

/** Runs the tests of store/keys.h against the empty store of that URL; returns how many failed. */
int keys_cases_run(const char *url);

#endif
