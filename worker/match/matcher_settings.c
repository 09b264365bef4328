#include "matcher_settings.h"

#include "nn/blas.h"
#include "nn/kernels/kernels.h"
#include "obs/log.h"

int matcher_settings_find_models(struct matcher_folders *out, const struct config *config, struct error *err)
{
	int r = builtin_model_folder(config_string(config, OPTION_MODEL_DETECTOR), "detector", out->detector, err);

	if (r == 0)
		r = builtin_model_folder(config_string(config, OPTION_MODEL_EMBEDDER), "embedder", out->embedder, err);
	return r;
}

int matcher_settings_load_models(struct modelset **out, const struct config *config, struct error *err)
{
	struct matcher_folders folders;
	int r = matcher_settings_find_models(&folders, config, err);

	if (r == 0)
		r = modelset_load(out, folders.detector, folders.embedder, err);
	if (r == 0)
		log_info(NULL, "models loaded", log_string("detector", (*out)->detector.name),
			 log_string("embedder", (*out)->embedder.name), log_string("model_id", (*out)->model_id),
			 log_string("kernels", nn_kernels_best()->name), log_string("blas", nn_blas_kernels()));
	return r;
}

struct matcher_rules matcher_rules_from_config(const struct config *config)
{
	return (struct matcher_rules){
	    .min_threshold = config_number(config, OPTION_FACE_MIN_THRESHOLD),
	    .enrolment = {.min_eye_distance = config_number(config, OPTION_FACE_MIN_EYE_DISTANCE),
			  .min_sharpness = config_number(config, OPTION_FACE_MIN_SHARPNESS),
			  .max_yaw = config_number(config, OPTION_FACE_MAX_YAW),
			  .max_roll = config_number(config, OPTION_FACE_MAX_ROLL)},
	    .portraits = config_boolean(config, OPTION_PEOPLE_PORTRAITS),
	};
}

struct matcher_settings matcher_settings_from_config(const struct config *config, const struct modelset *models)
{
	return (struct matcher_settings){
	    .models = models,
	    .limits = {.max_bytes = (size_t)config_integer(config, OPTION_IMAGE_MAX_BYTES),
		       .max_pixels = config_integer(config, OPTION_IMAGE_MAX_PIXELS),
		       .max_side = (int)config_integer(config, OPTION_IMAGE_MAX_SIDE)},
	    .rules = matcher_rules_from_config(config),
	};
}
