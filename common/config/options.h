#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

/** What kind of value an option takes. A secret is a string that is never printed. */
enum option_type { OPTION_STRING, OPTION_SECRET, OPTION_INTEGER, OPTION_NUMBER, OPTION_BOOLEAN, OPTION_CHOICE };

/** What it takes for a change of an option to take effect. */
enum option_change {
	OPTION_RESTARTS, /**< somebody restarts the program */
	OPTION_RENEWS,   /**< the worker executes itself anew, when its jobs in hand are done; see match/renewal.h */
	OPTION_HOT,      /**< nothing: it changes while the program runs */
};

/**
 * One row of the table. Bounds are those of the value for numbers and of the length in bytes for
 * strings. A secret `a.b` can also be given as `a.b_file`, the path of a file that holds it.
 */
struct option_row {
	const char *key; /**< "worker.threads" */
	enum option_type type;
	const char *fallback; /**< the default, as it would stand in the file */
	double min;
	double max;
	const char *unit;    /**< "ms", "bytes", "" … */
	const char *choices; /**< of a choice: "json|text" */
	enum option_change change;
	const char *sentence; /**< what it does, one sentence */
};

/* The table: OPTION(symbol, key, type, default, min, max, unit, choices, change, sentence). */
enum option_id {
#define OPTION(symbol, ...) OPTION_##symbol,
#include "config/options.def"
#undef OPTION
	OPTION_COUNT
};

extern const struct option_row option_table[OPTION_COUNT];

#endif
