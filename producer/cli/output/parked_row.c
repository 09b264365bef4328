#include "cli/output/parked_row.h"

#include <jansson.h>
#include <string.h>

#include "cli/output/escape.h"
#include "cli/output/json_row.h"
#include "job/job.h"
#include "job/reply.h"

const struct table_column parked_row_columns[PARKED_ROW_COLUMNS] = {
    {.head = "id"},
    {.head = "type"},
    {.head = "op"},
    {.head = "user", .most = 24},
    {.head = "origin", .most = 24},
    {.head = "parked at"},
    {.head = "bytes", .right = true},
    {.head = "reason"},
};

/* What a list says of a body. */
struct summary {
	const char *type;
	const char *op; /* "" if it cannot be read */
	char user_id[JOB_MAX_USER_BYTES + 1];
};

static bool is_of_type(const struct amqp_delivery *parked, const char *type)
{
	return strcmp(parked->envelope.type, type) == 0;
}

static void summarise_job(struct summary *summary, enum encoding encoding, const struct amqp_delivery *parked)
{
	struct job job;

	/* One that was refused says what could be read of it. */
	if (job_decode(&job, encoding, parked->body, parked->body_size, NULL) == 0 || job.has_op)
		summary->op = job_op_name(job.op);
	snprintf(summary->user_id, sizeof(summary->user_id), "%s", job.user_id);
	job_finish(&job);
}

static void summarise_reply(struct summary *summary, enum encoding encoding, const struct amqp_delivery *parked)
{
	struct reply reply;

	if (reply_decode(&reply, encoding, parked->body, parked->body_size, NULL) < 0)
		return;
	summary->op = reply.has_op ? job_op_name(reply.op) : "";
	snprintf(summary->user_id, sizeof(summary->user_id), "%s", reply.user_id);
	reply_finish(&reply);
}

static struct summary summarise(const struct amqp_delivery *parked)
{
	struct summary summary = {.type = "unknown", .op = ""};
	enum encoding encoding;
	bool is_job = is_of_type(parked, ENVELOPE_TYPE_JOB);
	bool is_reply = is_of_type(parked, ENVELOPE_TYPE_REPLY);

	if (is_job || is_reply)
		summary.type = is_job ? "job" : "reply";
	else if (is_of_type(parked, ENVELOPE_TYPE_EVENT))
		summary.type = "event";
	if (!parked->body || encoding_from_content_type(parked->envelope.content_type, &encoding) < 0)
		return summary;
	if (is_job)
		summarise_job(&summary, encoding, parked);
	else if (is_reply)
		summarise_reply(&summary, encoding, parked);
	return summary;
}

void parked_row_add(struct table *table, const struct amqp_delivery *parked)
{
	const struct envelope *envelope = &parked->envelope;
	struct summary summary = summarise(parked);

	table_add_text(table, envelope->message_id);
	table_add_text(table, summary.type);
	table_add_text(table, summary.op);
	table_add_text(table, summary.user_id);
	table_add_text(table, envelope->origin);
	table_add_time(table, envelope->sent_ms);
	table_add(table, "%zu", parked->body_size);
	table_add_text(table, envelope->reason);
}

/* --- JSON --- */

int parked_row_json(const struct amqp_delivery *parked, FILE *out)
{
	const struct envelope *e = &parked->envelope;
	struct summary summary = summarise(parked);

	return json_row_print(json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "id", json_row_text(e->message_id),
					"type", summary.type, "op", json_row_text(summary.op), "user_id",
					json_row_text(summary.user_id), "origin", json_row_text(e->origin), "reason",
					json_row_text(e->reason), "parked_at", json_row_time(e->sent_ms), "bytes",
					(json_int_t)parked->body_size),
			      false, out);
}

static json_t *image(const struct job_image *image)
{
	if (image->url)
		return json_pack("{s:s}", "url", image->url);
	return image->data ? json_pack("{s:I}", "bytes", (json_int_t)image->size) : json_null();
}

static json_t *options(const struct job_options *o)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "threshold", o->has_threshold ? json_real(o->threshold) : json_null(),
			 "far", o->has_far ? json_real(o->far) : json_null(), "face_policy",
			 o->has_face_policy ? json_string(face_policy_name(o->face_policy)) : json_null(), "top_k",
			 o->top_k ? json_integer(o->top_k) : json_null());
}

static json_t *job_body(enum encoding encoding, const struct amqp_delivery *parked, struct error *err)
{
	json_t *body = NULL;
	struct job job;

	if (job_decode(&job, encoding, parked->body, parked->body_size, err) == 0)
		body = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "op", job_op_name(job.op), "image_a",
				 image(&job.image_a), "image_b", image(&job.image_b), "user_id",
				 json_row_text(job.user_id), "collection", json_row_text(job.collection), "scene",
				 json_row_text(job.scene), "reference", json_row_text(job.reference), "callback",
				 job.callback_url ? json_row_text(job.callback_url) : json_null(), "options",
				 options(&job.options));
	job_finish(&job);
	return body;
}

static json_t *reply_body(enum encoding encoding, const struct amqp_delivery *parked, struct error *err)
{
	struct buffer encoded = {0};
	json_t *body = NULL;
	struct reply reply;

	if (reply_decode(&reply, encoding, parked->body, parked->body_size, err) < 0)
		return NULL;
	if (reply_encode(&reply, ENCODING_JSON, &encoded) == 0)
		body = json_loadb((const char *)encoded.data, encoded.size, 0, NULL);
	reply_finish(&reply);
	buffer_finish(&encoded);
	return body;
}

static json_t *body_of(const struct amqp_delivery *parked, struct error *err)
{
	enum encoding encoding;

	if (!parked->body)
		error_set(err, ERROR_INVALID_JOB, "parked without its body");
	else if (encoding_from_content_type(parked->envelope.content_type, &encoding) < 0)
		error_set(err, ERROR_INVALID_JOB, "unknown content type");
	else if (is_of_type(parked, ENVELOPE_TYPE_JOB))
		return job_body(encoding, parked, err);
	else if (is_of_type(parked, ENVELOPE_TYPE_REPLY))
		return reply_body(encoding, parked, err);
	else
		error_set(err, ERROR_INVALID_JOB, "unknown type");
	return NULL;
}

int parked_row_show(const struct amqp_delivery *parked, FILE *out)
{
	const struct envelope *e = &parked->envelope;
	struct error err = {0};
	json_t *body = body_of(parked, &err);

	return json_row_print(
	    json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}",
		"id", json_row_text(e->message_id), "type", json_row_text(e->type), "content_type",
		json_row_text(e->content_type), "reason", json_row_text(e->reason), "origin", json_row_text(e->origin),
		"parked_at", json_row_time(e->sent_ms), "reply_to", json_row_text(e->reply_to), "correlation_id",
		json_row_text(e->correlation_id), "accepted_at", json_row_time(e->accepted_ms), "attempt",
		(int)e->attempt, "deliveries", (json_int_t)e->delivery_count, "deadline", json_row_time(e->deadline_ms),
		"owner", json_row_text(e->owner), "callback", json_row_text(e->callback_url), "traceparent",
		json_row_text(e->traceparent), "death_reason", json_row_text(e->death_reason), "death_queue",
		json_row_text(e->death_queue), "bytes", (json_int_t)parked->body_size, "body",
		body ? body : json_null(), "body_error", error_is_set(&err) ? json_row_text(err.text) : json_null()),
	    true, out);
}

void parked_row_replayed(const char *old_id, const char *id)
{
	char from[ESCAPE_SIZE];
	char to[ESCAPE_SIZE];

	if (strcmp(old_id, id) == 0)
		printf("%s replayed\n", escape_text(id, to, sizeof(to)));
	else
		printf("%s replayed as %s\n", escape_text(old_id[0] ? old_id : "-", from, sizeof(from)),
		       escape_text(id, to, sizeof(to)));
}
