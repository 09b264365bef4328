#include "chosen.h"

#include "face/builtin.h"

int chosen_models(struct modelset **models, const struct request *request, struct error *err)
{
	const char *detector =
	    request->detector ? request->detector : config_string(request->config, OPTION_MODEL_DETECTOR);
	const char *embedder =
	    request->embedder ? request->embedder : config_string(request->config, OPTION_MODEL_EMBEDDER);
	char detector_path[BUILTIN_PATH_SIZE];
	char embedder_path[BUILTIN_PATH_SIZE];

	int r = builtin_model_folder(detector, "detector", detector_path, err);
	if (r == 0)
		r = builtin_model_folder(embedder, "embedder", embedder_path, err);
	return r == 0 ? modelset_load(models, detector_path, embedder_path, err) : r;
}
