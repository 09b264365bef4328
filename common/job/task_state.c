#include "job/task_state.h"

#include <errno.h>

#include "job/names.h"

const char *task_state_name(enum task_state state)
{
	return names_states[state];
}

int task_state_from_name(const char *name, enum task_state *state)
{
	int index = names_find(names_states, array_size(names_states), name);

	if (index < 0)
		return -EINVAL;
	*state = (enum task_state)index;
	return 0;
}
