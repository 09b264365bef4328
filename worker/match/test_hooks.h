#ifndef MATCH_TEST_HOOKS_H
#define MATCH_TEST_HOOKS_H

/*
 * Faults that a test orders by a job's reference. Only in builds with -Dtest_hooks=true, which is never a release:
 * `tests/run release` checks that there is nothing of it.
 */

#ifdef FACEFLEET_TEST_HOOKS
/** "crash:SIGSEGV" (any signal) kills the process by it, "crash:hang" never returns; others do nothing. */
void test_hooks_obey(const char *reference);
#else
static inline void test_hooks_obey(const char *reference)
{
	(void)reference;
}
#endif

#endif
