/* Cron texts, names of time zones, and the files of those. The first byte says what the rest is. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/cron.h"
#include "scheduler/zone_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 2026-11-25 */
#define NOW_S INT64_C(1795564800)

static void check_runs(const char *text, const struct time_zone *zone)
{
	struct error err = {0};
	struct cron cron;
	int64_t at = NOW_S * 1000;

	if (cron_parse(&cron, text, &err) < 0) {
		assert(err.code == ERROR_CONFIG && err.text[0] != '\0');
		return;
	}
	for (int i = 0; i < 5; i++) {
		int64_t next = cron_next(&cron, zone, at);
		assert(next > at);
		at = next;
	}
}

static void check_cron(const char *text)
{
	static const char *const names[] = {"", "Europe/Berlin", "Australia/Lord_Howe"};

	for (size_t i = 0; i < array_size(names); i++) {
		struct time_zone *zone;
		assert(time_zone_load(&zone, names[i], NULL) == 0);
		check_runs(text, zone);
		time_zone_free(zone);
	}
}

static void check_file(const uint8_t *data, size_t size)
{
	struct time_zone *zone;

	if (time_zone_read(&zone, data, size, NULL) < 0)
		return;
	for (int64_t at = -NOW_S; at < 3 * NOW_S; at += NOW_S / 7) {
		assert(abs(time_zone_offset(zone, at)) < 200000);
		(void)time_zone_to_unix(zone, at);
	}
	time_zone_free(zone);
}

static void check_rule(const char *text)
{
	struct zone_rule rule;

	if (zone_rule_parse(&rule, text) < 0)
		return;
	for (int64_t at = -NOW_S; at < 3 * NOW_S; at += NOW_S / 7) {
		int32_t offset = zone_rule_offset(&rule, at);
		assert(offset == rule.standard_s || (rule.has_summer && offset == rule.summer_s));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct time_zone *zone;

	if (size == 0)
		return 0;
	char *text = malloc(size);
	assert(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'c')
		check_cron(text);
	else if (data[0] == 'n' && time_zone_load(&zone, text, NULL) == 0)
		time_zone_free(zone);
	else if (data[0] == 'r')
		check_rule(text);
	else if (data[0] == 'f')
		check_file(data + 1, size - 1);
	free(text);
	return 0;
}
