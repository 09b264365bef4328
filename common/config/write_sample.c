/* Writes the sample file to the path in its argument; `ninja update-sample` runs it for deploy/facefleet.yaml. */

#include <stdio.h>

#include "config/config.h"

int main(int argc, char **argv)
{
	FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;

	if (!out) {
		fprintf(stderr, "usage: %s FILE (that can be written)\n", argv[0]);
		return 2;
	}
	config_print_sample(out);
	return fclose(out) == 0 ? 0 : 1;
}
