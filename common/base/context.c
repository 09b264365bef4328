#include "base/context.h"

#include "base/clock.h"

void context_cancel(struct context *ctx)
{
	atomic_store_explicit(&ctx->cancelled, true, memory_order_relaxed);
}

int context_check(const struct context *ctx, const char *stage, struct error *err)
{
	if (!ctx)
		return 0;
	if (atomic_load_explicit(&ctx->cancelled, memory_order_relaxed))
		return error_set(err, ERROR_CANCELLED, "cancelled before %s", stage);
	if (ctx->deadline_ms == 0 && ctx->attempt_deadline_ms == 0)
		return 0;
	int64_t now = clock_monotonic_ms();
	if (ctx->deadline_ms != 0 && now >= ctx->deadline_ms)
		return error_set(err, ERROR_DEADLINE_EXCEEDED, "the deadline passed before %s", stage);
	if (ctx->attempt_deadline_ms != 0 && now >= ctx->attempt_deadline_ms)
		return error_set(err, ERROR_ATTEMPT_TIMEOUT, "this attempt's time ran out before %s", stage);
	return 0;
}

int64_t context_remaining_ms(const struct context *ctx, int64_t otherwise)
{
	int64_t left = otherwise;

	if (!ctx)
		return left;
	int64_t now = clock_monotonic_ms();
	if (ctx->deadline_ms != 0 && ctx->deadline_ms - now < left)
		left = ctx->deadline_ms - now;
	if (ctx->attempt_deadline_ms != 0 && ctx->attempt_deadline_ms - now < left)
		left = ctx->attempt_deadline_ms - now;
	return left > 0 ? left : 0;
}
