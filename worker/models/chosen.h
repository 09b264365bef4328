#ifndef MODELS_CHOSEN_H
#define MODELS_CHOSEN_H

#include "commands.h"
#include "face/modelset.h"

/** Loads the folders that the command line names, or else the settings, or else the built-in ones. */
int chosen_models(struct modelset **models, const struct request *request, struct error *err) must_check;

#endif
