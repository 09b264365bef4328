#include "config/options.h"

#include <stddef.h>

const struct option_row option_table[OPTION_COUNT] = {
#define OPTION(symbol, ...) [OPTION_##symbol] = {__VA_ARGS__},
#include "config/options.def"
#undef OPTION
};
