#include "store/central_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void free_strings(struct central_setting *s)
{
	free((char *)s->program);
	free((char *)s->key);
	free((char *)s->value);
}

static struct central_setting *find(struct central_set *set, const struct central_setting *like)
{
	for (unsigned i = 0; i < set->count; i++)
		if (strcmp(set->items[i].program, like->program) == 0 && strcmp(set->items[i].key, like->key) == 0)
			return &set->items[i];
	return NULL;
}

static void remove_item(struct central_set *set, struct central_setting *item)
{
	free_strings(item);
	*item = set->items[--set->count];
}

int central_set_put(struct central_set *set, const struct central_setting *setting, struct error *err)
{
	struct central_setting *known = find(set, setting);

	if (known)
		remove_item(set, known);
	if (!setting->value)
		return 0;
	if (set->count == CENTRAL_MAX)
		return error_set(err, ERROR_CONFIG, "more than %d central settings", CENTRAL_MAX);
	struct central_setting copy = {
	    .program = strdup(setting->program),
	    .key = strdup(setting->key),
	    .value = strdup(setting->value),
	    .revision = setting->revision,
	};
	if (!copy.program || !copy.key || !copy.value) {
		free_strings(&copy);
		return error_set(err, ERROR_INTERNAL, "out of memory");
	}
	set->items[set->count++] = copy;
	return 0;
}

static int add(void *arg, const struct central_setting *setting, struct error *err)
{
	return central_set_put(arg, setting, err);
}

int central_set_read(struct central_set *set, struct store *store, struct error *err)
{
	return central_list(store, add, set, err);
}

static unsigned pick(const struct central_set *set, const char *program, struct config_central *out)
{
	unsigned count = 0;

	for (unsigned i = 0; i < set->count; i++)
		if (strcmp(set->items[i].program, program) == 0)
			out[count++] = (struct config_central){set->items[i].key, set->items[i].value, "central"};
	return count;
}

unsigned central_set_pick(const struct central_set *set, const char *program, struct config_central out[CENTRAL_MAX])
{
	unsigned count = pick(set, "", out);

	/* What is for one program counts more than what is for all. */
	return program[0] == '\0' ? count : count + pick(set, program, out + count);
}

void central_set_finish(struct central_set *set)
{
	while (set->count > 0)
		remove_item(set, &set->items[0]);
}
