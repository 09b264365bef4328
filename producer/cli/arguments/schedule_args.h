#ifndef CLI_SCHEDULE_ARGS_H
#define CLI_SCHEDULE_ARGS_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "cli/arguments/args.h"
#include "store/schedules.h"

/** The options that say when a schedule runs. */
extern const struct arg_option schedule_args_options[];

/**
 * Reads them into name, cron, time_zone, every_ms, misfire, due_ms and created_at_ms of `out`. `now_ms` is the time
 * that --in and
 * --every count from. The strings belong to the arguments. 0, or a negative errno with `err`.
 */
int schedule_args_read(struct schedule *out, const struct args *args, int64_t now_ms, struct error *err) must_check;

/** Reads a duration such as "90s", "10m" or "1h30m" into milliseconds. 0 or -EINVAL. */
int schedule_args_duration(const char *text, int64_t *ms) must_check;

#endif
