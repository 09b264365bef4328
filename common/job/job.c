#include "job/job.h"

#include <errno.h>
#include <string.h>

#include "job/names.h"

void job_init(struct job *job, enum job_op op)
{
	*job = (struct job){
	    .op = op,
	    .has_op = true,
	    .user_id = "",
	    .collection = "default",
	    .scene = "batch",
	    .reference = "",
	};
}

const char *job_op_name(enum job_op op)
{
	return names_ops[op];
}

int job_op_from_name(const char *name, enum job_op *op)
{
	int index = names_find(names_ops, array_size(names_ops), name);

	if (index < 0)
		return -EINVAL;
	*op = (enum job_op)index;
	return 0;
}

const char *face_policy_name(enum face_policy policy)
{
	return names_policies[policy];
}

int face_policy_from_name(const char *name, enum face_policy *policy)
{
	int index = names_find(names_policies, array_size(names_policies), name);

	if (index < 0)
		return -EINVAL;
	*policy = (enum face_policy)index;
	return 0;
}

bool job_scene_is_valid(const char *scene)
{
	size_t length = strspn(scene, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return length >= 1 && length <= JOB_MAX_SCENE_BYTES && scene[length] == '\0';
}
