#ifndef SCHEDULER_ZONE_RULE_H
#define SCHEDULER_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/**
 * A time zone as POSIX spells it in $TZ, with the extensions of RFC 8536: "CET-1CEST,M3.5.0,M10.5.0/3". Zone files end
 * in one, for the years after those they list.
 */
struct zone_rule {
	int32_t standard_s; /**< seconds east of Greenwich */
	bool has_summer;
	int32_t summer_s;
	struct zone_day {
		enum { ZONE_DAY_JULIAN, ZONE_DAY_ZERO_BASED, ZONE_DAY_WEEKDAY } kind;
		int month;
		int week;
		int day;
		int32_t time_s; /**< of the local clock before the change */
	} start, end;           /**< of summer time */
};

/** Reads it; 0 or -EINVAL. */
int zone_rule_parse(struct zone_rule *out, const char *text) must_check;

/** Seconds east of Greenwich at that moment. */
int32_t zone_rule_offset(const struct zone_rule *rule, int64_t unix_s);

#endif
