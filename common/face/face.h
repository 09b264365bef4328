#ifndef FACE_FACE_H
#define FACE_FACE_H

/** Faces kept of one photograph; best_pair looks at the first FACE_MAX_PAIRED. */
#define FACE_MAX_FACES 64
#define FACE_MAX_PAIRED 8
#define FACE_LANDMARKS 5

/** A face as it stands in the full-size, upright picture (pixels). The box may reach beyond its edges. */
struct face {
	float box[4]; /**< x, y, width, height */
	float score;
	float landmarks[FACE_LANDMARKS][2]; /**< eye on the picture's left, other eye, nose, mouth corners left first */
};

#endif
