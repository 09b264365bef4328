#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

/**
 * The nearer to `word` of `best` (what an earlier call returned; NULL: nothing yet) and
 * `candidate`, or NULL while nothing was as near as a slip of the fingers. Call it for each
 * candidate in turn.
 */
const char *suggest_nearer(const char *word, const char *best, const char *candidate);

#endif
