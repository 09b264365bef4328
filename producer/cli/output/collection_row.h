#ifndef CLI_COLLECTION_ROW_H
#define CLI_COLLECTION_ROW_H

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"
#include "store/collections.h"

/** The head of the table for people. */
void collection_row_head(FILE *out);

/** One line of the table; names are escaped, model ids cut to MODEL_SHORT characters. */
void collection_row_text(const struct collection_summary *summary, FILE *out);
#define MODEL_SHORT 12

/** The same as one line of JSON, whole. Images without any embedding have null for model_id and missing. 0 or -ENOMEM.
 */
int collection_row_json(const struct collection_summary *summary, FILE *out) must_check;

#endif
