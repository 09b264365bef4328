#include "amqp/properties.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "run.h"

static amqp_table_entry_t text_header(const char *key, const char *value)
{
	return (amqp_table_entry_t){amqp_cstring_bytes(key),
				    {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)}};
}

static struct envelope read_headers(amqp_table_entry_t *entries, int count)
{
	amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG, .headers = {count, entries}};
	struct envelope envelope;

	properties_to_envelope(&envelope, &properties);
	return envelope;
}

static void test_round_trip(void **state)
{
	(void)state;
	struct envelope out = {
	    .message_id = "01980000-0000-7000-8000-000000000000",
	    .type = ENVELOPE_TYPE_JOB,
	    .content_type = "application/msgpack",
	    .reply_to = "replies",
	    .correlation_id = "c",
	    .accepted_ms = INT64_C(1763900000123),
	    .deadline_ms = INT64_C(1763900000423),
	    .attempt = 2,
	    .suspect = true,
	    .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	    .tracestate = "a=1",
	    .callback_url = "https://example.com/hook",
	    .owner = "0123456789abcdef",
	    .reason = "poison",
	    .origin = "facefleet.jobs.batch",
	};
	struct properties properties;
	struct envelope in;

	properties_from_envelope(&properties, &out);
	assert_int_equal(properties.basic.delivery_mode, 2);
	assert_true(properties.basic._flags & AMQP_BASIC_TIMESTAMP_FLAG);
	assert_false(properties.basic._flags & AMQP_BASIC_EXPIRATION_FLAG);
	properties_to_envelope(&in, &properties.basic);
	assert_true(in.sent_ms > 0);
	in.sent_ms = 0; /* is not for the one who sends to say */
	assert_memory_equal(&in, &out, sizeof(in));
}

static void test_absent_is_left_out(void **state)
{
	(void)state;
	struct envelope nothing = {.delivery_count = 3, .death_reason = "rejected", .death_queue = "q"};
	struct properties properties;

	properties_from_envelope(&properties, &nothing);
	assert_int_equal(properties.basic._flags, AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_TIMESTAMP_FLAG);
	assert_int_equal(properties.basic.headers.num_entries, 0);
}

/* What the broker writes in its headers is read, and never sent back to it. */
static void test_no_broker_header_is_sent(void **state)
{
	(void)state;
	struct envelope full = {.accepted_ms = 1,
				.deadline_ms = 1,
				.attempt = 1,
				.suspect = true,
				.delivery_count = 9,
				.traceparent = "t",
				.tracestate = "t",
				.callback_url = "u",
				.owner = "o",
				.reason = "r",
				.origin = "o",
				.death_reason = "expired",
				.death_queue = "q"};
	struct properties properties;

	properties_from_envelope(&properties, &full);
	assert_int_equal(properties.basic.headers.num_entries, PROPERTIES_MAX_HEADERS);
	for (int i = 0; i < properties.basic.headers.num_entries; i++)
		assert_memory_not_equal(properties.headers[i].key.bytes, "x-", 2);
}

static void test_any_integer_type_is_read(void **state)
{
	(void)state;
	static const amqp_field_value_t values[] = {
	    {.kind = AMQP_FIELD_KIND_I8, .value.i8 = 7},   {.kind = AMQP_FIELD_KIND_U8, .value.u8 = 7},
	    {.kind = AMQP_FIELD_KIND_I16, .value.i16 = 7}, {.kind = AMQP_FIELD_KIND_U16, .value.u16 = 7},
	    {.kind = AMQP_FIELD_KIND_I32, .value.i32 = 7}, {.kind = AMQP_FIELD_KIND_U32, .value.u32 = 7},
	    {.kind = AMQP_FIELD_KIND_I64, .value.i64 = 7}, {.kind = AMQP_FIELD_KIND_U64, .value.u64 = 7},
	};

	for (size_t i = 0; i < array_size(values); i++) {
		amqp_table_entry_t headers[] = {{amqp_cstring_bytes("facefleet-attempt"), values[i]},
						{amqp_cstring_bytes("facefleet-deadline"), values[i]},
						{amqp_cstring_bytes("x-delivery-count"), values[i]}};
		struct envelope envelope = read_headers(headers, 3);
		assert_int_equal(envelope.attempt, 7);
		assert_int_equal(envelope.deadline_ms, 7);
		assert_int_equal(envelope.delivery_count, 7);
	}
}

static void test_other_types_and_ranges_are_absent(void **state)
{
	(void)state;
	static char digit[] = "7";
	static const amqp_field_value_t values[] = {
	    {.kind = AMQP_FIELD_KIND_VOID},
	    {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1},
	    {.kind = AMQP_FIELD_KIND_F64, .value.f64 = 7},
	    {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {1, digit}},
	    {.kind = AMQP_FIELD_KIND_TABLE},
	    {.kind = AMQP_FIELD_KIND_ARRAY},
	    {.kind = AMQP_FIELD_KIND_U64, .value.u64 = UINT64_MAX},
	};

	for (size_t i = 0; i < array_size(values); i++) {
		amqp_table_entry_t headers[] = {{amqp_cstring_bytes("facefleet-attempt"), values[i]},
						{amqp_cstring_bytes("facefleet-deadline"), values[i]}};
		struct envelope envelope = read_headers(headers, 2);
		assert_int_equal(envelope.attempt, 0);
		assert_int_equal(envelope.deadline_ms, 0);
	}
	amqp_table_entry_t wide = {amqp_cstring_bytes("facefleet-attempt"),
				   {.kind = AMQP_FIELD_KIND_I64, .value.i64 = INT64_C(1) << 32}};
	assert_int_equal(read_headers(&wide, 1).attempt, 0);
	wide.value.value.i64 = -1;
	assert_int_equal(read_headers(&wide, 1).attempt, 0);
}

static void test_text_that_does_not_fit(void **state)
{
	(void)state;
	char split[] = "a\0b";
	char big[4096];
	struct envelope envelope;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	amqp_table_entry_t headers[] = {
	    text_header("tracestate", big),
	    text_header("facefleet-callback", big),
	    text_header("facefleet-reason", big),
	    {amqp_cstring_bytes("facefleet-origin"), {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {3, split}}}};
	envelope = read_headers(headers, 4);
	/* Half a URL is no URL; of a reason the beginning is worth having. */
	assert_string_equal(envelope.tracestate, "");
	assert_string_equal(envelope.callback_url, "");
	assert_int_equal(strlen(envelope.reason), sizeof(envelope.reason) - 1);
	assert_string_equal(envelope.origin, "");

	amqp_basic_properties_t properties = {._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG,
					      .content_type = {100, big},
					      .message_id = {3, split}};
	properties_to_envelope(&envelope, &properties);
	assert_int_equal(strlen(envelope.content_type), sizeof(envelope.content_type) - 1);
	assert_string_equal(envelope.message_id, "");
	/* A member whose flag is not set is absent, whatever it holds. */
	properties._flags = 0;
	properties_to_envelope(&envelope, &properties);
	assert_string_equal(envelope.content_type, "");
}

static void test_newest_death_wins(void **state)
{
	(void)state;
	amqp_table_entry_t newest[] = {text_header("reason", "delivery_limit"),
				       text_header("queue", "facefleet.jobs.batch")};
	amqp_table_entry_t oldest[] = {text_header("reason", "expired"), text_header("queue", "facefleet.retry")};
	amqp_field_value_t deaths[] = {
	    {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {2, newest}},
	    {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {2, oldest}},
	};
	amqp_table_entry_t headers[] = {
	    text_header("x-first-death-reason", "expired"),
	    text_header("x-first-death-queue", "facefleet.retry"),
	    {amqp_cstring_bytes("x-death"), {.kind = AMQP_FIELD_KIND_ARRAY, .value.array = {2, deaths}}},
	};

	struct envelope envelope = read_headers(headers, 3);
	assert_string_equal(envelope.death_reason, "delivery_limit");
	assert_string_equal(envelope.death_queue, "facefleet.jobs.batch");
	envelope = read_headers(headers, 2);
	assert_string_equal(envelope.death_reason, "expired");
	assert_string_equal(envelope.death_queue, "facefleet.retry");
	deaths[0].kind = AMQP_FIELD_KIND_I32;
	envelope = read_headers(headers, 3);
	assert_string_equal(envelope.death_reason, "expired");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_round_trip),
    cmocka_unit_test(test_absent_is_left_out),
    cmocka_unit_test(test_no_broker_header_is_sent),
    cmocka_unit_test(test_any_integer_type_is_read),
    cmocka_unit_test(test_other_types_and_ranges_are_absent),
    cmocka_unit_test(test_text_that_does_not_fit),
    cmocka_unit_test(test_newest_death_wins),
};

RUN_TESTS(tests)
