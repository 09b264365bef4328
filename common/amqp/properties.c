#include "amqp/properties.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"

/* --- out --- */

static amqp_table_entry_t *add_header(struct properties *out, const char *name, uint8_t kind)
{
	amqp_table_entry_t *entry = &out->headers[out->basic.headers.num_entries++];

	entry->key = amqp_cstring_bytes(name);
	entry->value.kind = kind;
	return entry;
}

static void add_text(struct properties *out, const char *name, const char *value)
{
	if (value[0])
		add_header(out, name, AMQP_FIELD_KIND_UTF8)->value.value.bytes = amqp_cstring_bytes(value);
}

static void add_time(struct properties *out, const char *name, int64_t unix_ms)
{
	if (unix_ms != 0)
		add_header(out, name, AMQP_FIELD_KIND_I64)->value.value.i64 = unix_ms;
}

static void add_number(struct properties *out, const char *name, int32_t number)
{
	if (number != 0)
		add_header(out, name, AMQP_FIELD_KIND_I32)->value.value.i32 = number;
}

static void set_property(struct properties *out, amqp_bytes_t *place, amqp_flags_t flag, const char *value)
{
	if (!value[0])
		return;
	*place = amqp_cstring_bytes(value);
	out->basic._flags |= flag;
}

void properties_from_envelope(struct properties *out, const struct envelope *envelope)
{
	amqp_basic_properties_t *basic = &out->basic;

	memset(out, 0, sizeof(*out));
	set_property(out, &basic->message_id, AMQP_BASIC_MESSAGE_ID_FLAG, envelope->message_id);
	set_property(out, &basic->type, AMQP_BASIC_TYPE_FLAG, envelope->type);
	set_property(out, &basic->content_type, AMQP_BASIC_CONTENT_TYPE_FLAG, envelope->content_type);
	set_property(out, &basic->reply_to, AMQP_BASIC_REPLY_TO_FLAG, envelope->reply_to);
	set_property(out, &basic->correlation_id, AMQP_BASIC_CORRELATION_ID_FLAG, envelope->correlation_id);
	basic->delivery_mode = AMQP_DELIVERY_PERSISTENT;
	basic->timestamp = (uint64_t)(clock_unix_ms() / 1000);
	basic->_flags |= AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;

	basic->headers.entries = out->headers;
	add_time(out, "facefleet-accepted", envelope->accepted_ms);
	add_time(out, "facefleet-deadline", envelope->deadline_ms);
	add_number(out, "facefleet-attempt", envelope->attempt);
	add_number(out, "facefleet-suspect", envelope->suspect);
	add_text(out, "facefleet-callback", envelope->callback_url);
	add_text(out, "facefleet-owner", envelope->owner);
	add_text(out, "facefleet-reason", envelope->reason);
	add_text(out, "facefleet-origin", envelope->origin);
	add_text(out, "traceparent", envelope->traceparent);
	add_text(out, "tracestate", envelope->tracestate);
	if (basic->headers.num_entries > 0)
		basic->_flags |= AMQP_BASIC_HEADERS_FLAG;
}

/* --- in --- */

void properties_copy_text(char *out, size_t size, amqp_bytes_t bytes)
{
	out[0] = '\0';
	if (bytes.len == 0 || bytes.len >= size || memchr(bytes.bytes, '\0', bytes.len))
		return;
	memcpy(out, bytes.bytes, bytes.len);
	out[bytes.len] = '\0';
}

static void copy_cut(char *out, size_t size, amqp_bytes_t bytes)
{
	if (bytes.len >= size)
		bytes.len = size - 1;
	properties_copy_text(out, size, bytes);
}

static const amqp_field_value_t *find(const amqp_table_t *table, const char *name)
{
	size_t length = strlen(name);

	for (int i = 0; i < table->num_entries; i++) {
		const amqp_table_entry_t *entry = &table->entries[i];
		if (entry->key.len == length && memcmp(entry->key.bytes, name, length) == 0)
			return &entry->value;
	}
	return NULL;
}

static amqp_bytes_t find_text(const amqp_table_t *table, const char *name)
{
	const amqp_field_value_t *value = find(table, name);

	if (!value || (value->kind != AMQP_FIELD_KIND_UTF8 && value->kind != AMQP_FIELD_KIND_BYTES))
		return amqp_empty_bytes;
	return value->value.bytes;
}

/* Any integer type; 0 for anything else and for what int64_t cannot hold. */
static int64_t find_integer(const amqp_table_t *table, const char *name)
{
	const amqp_field_value_t *value = find(table, name);

	switch (value ? value->kind : AMQP_FIELD_KIND_VOID) {
	case AMQP_FIELD_KIND_I8:
		return value->value.i8;
	case AMQP_FIELD_KIND_U8:
		return value->value.u8;
	case AMQP_FIELD_KIND_I16:
		return value->value.i16;
	case AMQP_FIELD_KIND_U16:
		return value->value.u16;
	case AMQP_FIELD_KIND_I32:
		return value->value.i32;
	case AMQP_FIELD_KIND_U32:
		return value->value.u32;
	case AMQP_FIELD_KIND_I64:
		return value->value.i64;
	case AMQP_FIELD_KIND_U64:
		return value->value.u64 <= INT64_MAX ? (int64_t)value->value.u64 : 0;
	default:
		return 0;
	}
}

/* The broker's newest record of a death, first in the array; NULL when there is none. */
static const amqp_table_t *newest_death(const amqp_table_t *headers)
{
	const amqp_field_value_t *deaths = find(headers, "x-death");

	if (!deaths || deaths->kind != AMQP_FIELD_KIND_ARRAY || deaths->value.array.num_entries == 0)
		return NULL;
	const amqp_field_value_t *first = &deaths->value.array.entries[0];
	return first->kind == AMQP_FIELD_KIND_TABLE ? &first->value.table : NULL;
}

static void read_death(struct envelope *out, const amqp_table_t *headers)
{
	const amqp_table_t *death = newest_death(headers);
	amqp_bytes_t reason = find_text(death ? death : headers, death ? "reason" : "x-first-death-reason");
	amqp_bytes_t queue = find_text(death ? death : headers, death ? "queue" : "x-first-death-queue");

	copy_cut(out->death_reason, sizeof(out->death_reason), reason);
	properties_copy_text(out->death_queue, sizeof(out->death_queue), queue);
}

static void read_headers(struct envelope *out, const amqp_table_t *headers)
{
	int64_t attempt = find_integer(headers, "facefleet-attempt");

	out->accepted_ms = find_integer(headers, "facefleet-accepted");
	out->deadline_ms = find_integer(headers, "facefleet-deadline");
	out->attempt = attempt > 0 && attempt <= INT32_MAX ? (int32_t)attempt : 0;
	out->suspect = find_integer(headers, "facefleet-suspect") != 0;
	out->delivery_count = find_integer(headers, "x-delivery-count");
	properties_copy_text(out->traceparent, sizeof(out->traceparent), find_text(headers, "traceparent"));
	properties_copy_text(out->tracestate, sizeof(out->tracestate), find_text(headers, "tracestate"));
	properties_copy_text(out->callback_url, sizeof(out->callback_url), find_text(headers, "facefleet-callback"));
	properties_copy_text(out->owner, sizeof(out->owner), find_text(headers, "facefleet-owner"));
	copy_cut(out->reason, sizeof(out->reason), find_text(headers, "facefleet-reason"));
	copy_cut(out->origin, sizeof(out->origin), find_text(headers, "facefleet-origin"));
	read_death(out, headers);
}

void properties_to_envelope(struct envelope *out, const amqp_basic_properties_t *properties)
{
	amqp_flags_t has = properties->_flags;

	memset(out, 0, sizeof(*out));
	if (has & AMQP_BASIC_MESSAGE_ID_FLAG)
		properties_copy_text(out->message_id, sizeof(out->message_id), properties->message_id);
	if (has & AMQP_BASIC_TYPE_FLAG)
		properties_copy_text(out->type, sizeof(out->type), properties->type);
	if (has & AMQP_BASIC_CONTENT_TYPE_FLAG)
		copy_cut(out->content_type, sizeof(out->content_type), properties->content_type);
	if (has & AMQP_BASIC_REPLY_TO_FLAG)
		properties_copy_text(out->reply_to, sizeof(out->reply_to), properties->reply_to);
	if (has & AMQP_BASIC_CORRELATION_ID_FLAG)
		properties_copy_text(out->correlation_id, sizeof(out->correlation_id), properties->correlation_id);
	if ((has & AMQP_BASIC_TIMESTAMP_FLAG) && properties->timestamp <= INT64_MAX / 1000)
		out->sent_ms = (int64_t)properties->timestamp * 1000;
	if (has & AMQP_BASIC_HEADERS_FLAG)
		read_headers(out, &properties->headers);
}
