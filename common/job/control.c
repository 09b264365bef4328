#include "job/control.h"

#include <string.h>

#include "job/document.h"
#include "job/value.h"
#include "job/writer.h"

static const char *const kinds[] = {
    [CONTROL_OTHER] = "other",
    [CONTROL_PEOPLE_CHANGED] = "people_changed",
    [CONTROL_PHOTOS_FORGET] = "photos_forget",
};

int control_encode(const struct control *control, struct buffer *out)
{
	struct writer w;

	writer_init(&w, ENCODING_JSON, out);
	writer_open_map(&w, NULL);
	writer_string(&w, "kind", kinds[control->kind]);
	if (control->kind == CONTROL_PEOPLE_CHANGED)
		writer_integer(&w, "version", (int64_t)control->version);
	writer_close(&w);
	return writer_finish(&w);
}

static void read_control(const struct value *root, struct control *control)
{
	struct value kind = value_field(root, "kind");
	struct value version = value_field(root, "version");
	char name[64] = "";
	int64_t number = 0;

	if (value_require(&kind))
		value_read_text(&kind, name, sizeof(name));
	for (size_t i = 0; i < array_size(kinds); i++) {
		if (strcmp(name, kinds[i]) == 0)
			control->kind = (enum control_kind)i;
	}
	if (control->kind == CONTROL_PEOPLE_CHANGED && value_require(&version) &&
	    value_read_integer(&version, 0, INT64_MAX, &number))
		control->version = (uint64_t)number;
}

int control_decode(struct control *control, const uint8_t *body, size_t size, struct error *err)
{
	struct control decoded = {.kind = CONTROL_OTHER};
	struct document doc;
	int r = document_open(&doc, ENCODING_JSON, body, size, err);

	if (r < 0)
		return r;
	struct value root = value_root(&doc);
	read_control(&root, &decoded);
	r = doc.result;
	document_close(&doc);
	if (r == 0)
		*control = decoded;
	return r;
}
