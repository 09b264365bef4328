#include "face/decoder.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A box so many frames long is noise, and would make nonsense of areas and overlaps. */
#define LONGEST_FRAMES 4.0f

static const struct face_decoder *const decoders[] = {
    &face_decoder_retinaface,
    &face_decoder_scrfd,
    &face_decoder_yunet,
};

const struct face_decoder *face_decoder_find(const char *name)
{
	for (size_t i = 0; i < array_size(decoders); i++) {
		if (strcmp(decoders[i]->name, name) == 0)
			return decoders[i];
	}
	return NULL;
}

int decoder_cells_of(int stride, int width, int height)
{
	return (width / stride) * (height / stride);
}

static bool is_sound(const struct face *face, float longest)
{
	bool sound = face->box[2] > 0 && face->box[3] > 0;

	for (int i = 0; i < 4; i++)
		sound = sound && fabsf(face->box[i]) <= longest;
	for (int i = 0; i < FACE_LANDMARKS; i++)
		sound = sound && fabsf(face->landmarks[i][0]) <= longest && fabsf(face->landmarks[i][1]) <= longest;
	return sound;
}

void decoder_put(struct candidates *candidates, const struct face *face, int width, int height)
{
	float longest = LONGEST_FRAMES * (float)(width > height ? width : height);

	if (candidates->count < candidates->capacity && is_sound(face, longest))
		candidates->items[candidates->count++] = *face;
}

int decoder_check_size(const struct nn_session *session, unsigned index, const char *what, int64_t want,
		       struct error *err)
{
	struct nn_shape shape;

	nn_session_output(session, index, &shape);
	if (nn_shape_count(&shape) == want)
		return 0;
	return error_set(err, ERROR_MODEL, "output %u, \"%s\", has %lld values where the decoder reads %lld", index,
			 what, (long long)nn_shape_count(&shape), (long long)want);
}
