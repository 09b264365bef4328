#include "store/tasks_state.h"

static const int ranks[] = {[TASK_PENDING] = 0, [TASK_RUNNING] = 1, [TASK_FAILED] = 2, [TASK_RETRYING] = 3};

bool task_state_is_terminal(enum task_state state)
{
	return state == TASK_SUCCEEDED || state == TASK_FINAL_FAILED;
}

bool task_state_leads_forward(enum task_state from, int from_attempt, enum task_state to, int to_attempt)
{
	if (task_state_is_terminal(from))
		return false;
	if (task_state_is_terminal(to))
		return true;
	return to_attempt != from_attempt ? to_attempt > from_attempt : ranks[to] > ranks[from];
}

static void learn_text(const char **known, const char *said)
{
	if (!*known || **known == '\0')
		*known = said;
}

static void learn_number(int64_t *known, int64_t said)
{
	if (*known == 0)
		*known = said;
}

static void learn_facts(struct task_change *known, const struct task_change *said)
{
	learn_text(&known->op, said->op);
	learn_text(&known->scene, said->scene);
	learn_text(&known->user_id, said->user_id);
	learn_text(&known->collection, said->collection);
	learn_text(&known->reference, said->reference);
	learn_text(&known->owner, said->owner);
	learn_number(&known->accepted_at_ms, said->accepted_at_ms);
	learn_number(&known->deadline_ms, said->deadline_ms);
}

static void take_state(struct task_change *now, const struct task_change *change)
{
	now->state = change->state;
	now->attempt = change->attempt;
	now->at_ms = change->at_ms;
	now->worker = change->worker;
	now->error_code = change->error_code;
	now->error_text = change->error_text;
	now->next_attempt_at_ms = change->next_attempt_at_ms;
	now->reply = change->reply;
	now->reply_size = change->reply_size;
}

bool task_progress_apply(struct task_progress *progress, const struct task_change *change)
{
	struct task_change *now = &progress->now;

	learn_facts(now, change);
	if (progress->transitions > 0 &&
	    !task_state_leads_forward(now->state, now->attempt, change->state, change->attempt))
		return false;
	take_state(now, change);
	progress->transitions++;
	return true;
}
