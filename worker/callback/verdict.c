#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>

enum answer_kind answer_kind(const struct answer *answer)
{
	switch (answer->outcome) {
	case HTTP_ANSWERED:
		return answer->status >= 200 && answer->status < 300 ? ANSWER_DELIVERED : ANSWER_REJECTED;
	case HTTP_REFUSED:
		return ANSWER_REFUSED;
	case HTTP_TIMED_OUT:
		return ANSWER_TIMED_OUT;
	case HTTP_TOO_LARGE: /* headers without end: the body is cut */
	case HTTP_FAILED:
		break;
	}
	return ANSWER_FAILED;
}

const char *answer_kind_name(enum answer_kind kind)
{
	static const char *const names[ANSWER_KIND_COUNT] = {
	    [ANSWER_DELIVERED] = "delivered", [ANSWER_REJECTED] = "rejected", [ANSWER_REFUSED] = "refused",
	    [ANSWER_TIMED_OUT] = "timed_out", [ANSWER_FAILED] = "failed",
	};

	return names[kind];
}

const char *park_cause_name(enum park_cause cause)
{
	static const char *const names[PARK_CAUSE_COUNT] = {
	    [PARK_EXHAUSTED] = "exhausted", [PARK_GONE] = "gone",         [PARK_REFUSED] = "refused",
	    [PARK_INVALID] = "invalid",     [PARK_DISABLED] = "disabled",
	};

	return names[cause];
}

void verdict_park(struct verdict *verdict, enum park_cause cause, const char *fmt, ...)
{
	va_list args;

	*verdict = (struct verdict){.what = VERDICT_PARK, .cause = cause};
	va_start(args, fmt);
	vsnprintf(verdict->reason, sizeof(verdict->reason), fmt, args);
	va_end(args);
}

/* Endpoints that ask for patience; a Retry-After on anything else means something else (RFC 9110, 10.2.3). */
static int64_t wished_delay(const struct answer *answer)
{
	return answer->status == 429 || answer->status == 503 ? answer->retry_after_ms : -1;
}

/* What went wrong, in a few words. */
static void describe(const struct answer *answer, char *out, size_t size)
{
	if (answer->outcome == HTTP_ANSWERED)
		snprintf(out, size, "HTTP %ld", answer->status);
	else
		snprintf(out, size, "%.*s", (int)size - 1, answer->text);
}

void verdict_reach(struct verdict *verdict, const struct answer *answer, const struct retry_plan *plan, int attempts)
{
	enum answer_kind kind = answer_kind(answer);
	int64_t delay_ms = retry_plan_next(plan, attempts, wished_delay(answer));
	char what[200];

	describe(answer, what, sizeof(what));
	if (kind == ANSWER_DELIVERED) {
		*verdict = (struct verdict){.what = VERDICT_DELIVERED};
	} else if (kind == ANSWER_REFUSED) {
		verdict_park(verdict, PARK_REFUSED, "callback refused: %s", what);
	} else if (kind == ANSWER_REJECTED && answer->status == 410) {
		verdict_park(verdict, PARK_GONE, "callback endpoint is gone: %s", what);
	} else if (delay_ms < 0) {
		verdict_park(verdict, PARK_EXHAUSTED, "callback failed %d times, lastly: %s", attempts, what);
	} else {
		*verdict = (struct verdict){.what = VERDICT_RETRY, .delay_ms = delay_ms};
		snprintf(verdict->reason, sizeof(verdict->reason), "%s", what);
	}
}
