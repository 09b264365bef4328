#include "nn/attribute.h"

#include <stdlib.h>
#include <string.h>

void nn_attribute_finish(struct nn_attribute *attribute)
{
	free(attribute->name);
	free(attribute->s);
	free(attribute->ints);
	free(attribute->floats);
	nn_tensor_free(attribute->tensor);
	*attribute = (struct nn_attribute){0};
}

bool nn_attribute_listed(const struct nn_attribute *attribute, const char *table)
{
	size_t length = strlen(attribute->name);

	for (const char *word = table; word && *word; word = strchr(word, ' ')) {
		word += *word == ' ';
		if (strncmp(word, attribute->name, length) == 0 && word[length] == ':' &&
		    word[length + 1] == (char)attribute->kind)
			return true;
	}
	return false;
}
