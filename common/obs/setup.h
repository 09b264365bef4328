#ifndef OBS_SETUP_H
#define OBS_SETUP_H

#include "config/config.h"

/** log_setup() with what log.level and log.format say. Call in main() before any thread starts. */
void log_setup_from_config(const char *program, const struct config *config);

#endif
