#include "obs/log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

/* Standard error is replaced by one end of a pipe (or terminal) while a line is written. */
struct capture {
	int read_fd;
	int saved_stderr;
	char text[65536];
};

static void capture_begin(struct capture *c, int read_fd, int write_fd)
{
	c->read_fd = read_fd;
	c->saved_stderr = dup(STDERR_FILENO);
	assert_true(c->saved_stderr >= 0);
	assert_true(dup2(write_fd, STDERR_FILENO) >= 0);
	close(write_fd);
	fcntl(read_fd, F_SETFL, O_NONBLOCK);
}

static void capture_pipe(struct capture *c)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	capture_begin(c, fds[0], fds[1]);
}

static void capture_end(struct capture *c)
{
	ssize_t got = read(c->read_fd, c->text, sizeof(c->text) - 1);

	dup2(c->saved_stderr, STDERR_FILENO);
	close(c->saved_stderr);
	close(c->read_fd);
	c->text[got > 0 ? got : 0] = '\0';
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in: %s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" in: %s", part, text);
}

static void test_json_line_has_everything_in_order(void **state)
{
	struct capture c;
	struct context ctx = {.task_id = "01900000-0000-7000-8000-000000000001",
			      .trace = {.trace_id = "0af7651916cd43dd8448eb211c80319c"},
			      .scene = "kyc",
			      .op = "match"};

	(void)state;
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	log_info(&ctx, "task finished", log_string("state", "succeeded"), log_integer("attempt", -7),
		 log_number("total_ms", 12.34567), log_boolean("matched", true), log_string("absent", NULL));
	capture_end(&c);
	assert_memory_equal(c.text, "{\"time\":\"20", 11);
	assert_string_equal(strstr(c.text, "\",\"level\""),
			    "\",\"level\":\"info\",\"program\":\"test\",\"message\":\"task finished\","
			    "\"task_id\":\"01900000-0000-7000-8000-000000000001\","
			    "\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\",\"scene\":\"kyc\",\"op\":\"match\","
			    "\"state\":\"succeeded\",\"attempt\":-7,\"total_ms\":12.346,\"matched\":true}\n");
}

static void test_a_line_without_fields_or_context(void **state)
{
	struct capture c;

	(void)state;
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_warning(NULL, "plain");
	capture_end(&c);
	assert_contains(c.text, "\"level\":\"warning\",\"program\":\"test\",\"message\":\"plain\"}\n");
}

static void test_hostile_values_cannot_forge_a_line(void **state)
{
	struct capture c;

	(void)state;
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info(NULL, "x", log_string("v", "a\"}\n{\"level\":\"error\"\\\t\x01\x7F\xC2\x9B!"));
	capture_end(&c);
	assert_contains(c.text, "\"v\":\"a\\\"}\\n{\\\"level\\\":\\\"error\\\"\\\\\\t\\u0001\\u007f\\u009b!\"}\n");
	assert_ptr_equal(strchr(c.text, '\n'), c.text + strlen(c.text) - 1);
}

static void test_invalid_utf8_is_replaced(void **state)
{
	struct capture c;

	(void)state;
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info(NULL, "x", log_string("v", "\xC3\xA9\xFFz\xC3"));
	capture_end(&c);
	assert_contains(c.text, "\"v\":\"\xC3\xA9\xEF\xBF\xBDz\xEF\xBF\xBD\"}\n");
}

static void test_numbers_that_json_lacks_are_null(void **state)
{
	struct capture c;

	(void)state;
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info(NULL, "x", log_number("a", (double)NAN), log_number("b", -(double)INFINITY), log_number("c", 1e300));
	capture_end(&c);
	assert_contains(c.text, "\"a\":null,\"b\":null,\"c\":1.0000000000000001e+300}\n");
}

static void test_long_values_are_cut_between_characters(void **state)
{
	struct capture c;
	char value[3000];

	(void)state;
	value[0] = 'x';
	for (size_t i = 1; i + 2 < sizeof(value); i += 2)
		memcpy(value + i, "\xC3\xA9", 3);
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info(NULL, "x", log_string("v", value), log_integer("after", 1));
	capture_end(&c);
	const char *start = strstr(c.text, "\"v\":\"") + 5;
	const char *end = strstr(start, "\xE2\x80\xA6\",\"after\":1}\n");
	assert_non_null(end);
	assert_int_equal(end - start, 1023);
}

static void test_a_value_of_exactly_the_limit_is_whole(void **state)
{
	struct capture c;
	char value[1025];

	(void)state;
	memset(value, 'y', 1024);
	value[1024] = '\0';
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info(NULL, "x", log_string("v", value));
	capture_end(&c);
	assert_contains(c.text, "yyy\"}\n");
}

static void test_a_line_too_long_loses_whole_fields(void **state)
{
	struct capture c;
	char value[1025];
	struct log_field fields[8] = {{0}};

	(void)state;
	memset(value, 1, 1024); /* six times as long once escaped */
	value[1024] = '\0';
	for (size_t i = 0; i < 7; i++)
		fields[i] = log_string("v", value);
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_write(LOG_LEVEL_INFO, NULL, "x", fields);
	capture_end(&c);
	assert_true(strlen(c.text) < 16384);
	assert_contains(c.text, "\\u0001\",\"cut\":true}\n");
}

static void test_text_line_is_aligned_and_quotes_what_needs_it(void **state)
{
	struct capture c;

	(void)state;
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_error(NULL, "it broke", log_string("plain", "a/b:c"), log_string("quoted", "a b\x1b[31m"),
		  log_string("empty", ""));
	capture_end(&c);
	assert_contains(c.text, " error   test: it broke                              plain=a/b:c"
				"  quoted=\"a b\\u001b[31m\"  empty=\"\"\n");
	assert_lacks(c.text, "\x1b");
}

static void write_on_terminal(struct capture *c)
{
	int master;
	int slave;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	capture_begin(c, master, slave);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	log_info(NULL, "hello", log_string("key", "value"));
	capture_end(c);
}

static void test_terminal_gets_colours_unless_told_not_to(void **state)
{
	struct capture c;

	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	write_on_terminal(&c);
	assert_contains(c.text, "\x1b[32minfo   \x1b[0m test: hello");
	setenv("NO_COLOR", "1", 1);
	write_on_terminal(&c);
	assert_lacks(c.text, "\x1b");
	assert_contains(c.text, " info    test: hello");
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	write_on_terminal(&c);
	assert_lacks(c.text, "\x1b");
}

static int evaluated;

static int64_t expensive(void)
{
	return ++evaluated;
}

static void test_levels_below_the_threshold_are_silent(void **state)
{
	struct capture c;

	(void)state;
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_WARNING, LOG_FORMAT_JSON);
	log_info(NULL, "no", log_integer("n", expensive()));
	log_write(LOG_LEVEL_INFO, NULL, "no", NULL);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug(NULL, "yes");
	capture_end(&c);
	assert_int_equal(evaluated, 0);
	assert_lacks(c.text, "\"no\"");
	assert_contains(c.text, "\"yes\"");
}

static void test_names_of_levels_and_formats(void **state)
{
	enum log_level level = LOG_LEVEL_ERROR;
	enum log_format format = LOG_FORMAT_TEXT;

	(void)state;
	assert_int_equal(log_level_from_name("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_from_name("loud", &level), -EINVAL);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_format_from_name("json", &format), 0);
	assert_int_equal(format, LOG_FORMAT_JSON);
	assert_int_equal(log_format_from_name("", &format), -EINVAL);
}

static void check_url(const char *url, const char *expected)
{
	char out[64];

	log_url(url, out, sizeof(out));
	assert_string_equal(out, expected);
}

static void test_urls_lose_their_secrets(void **state)
{
	char small[8];

	(void)state;
	check_url("https://example.com/a/b", "https://example.com/a/b");
	check_url("https://user:pass@example.com:8443/a?token=1#f", "https://example.com:8443/a");
	check_url("https://u@v:pass@example.com", "https://example.com");
	check_url("https://example.com/@name", "https://example.com/@name");
	check_url("https://example.com?user@host", "https://example.com");
	check_url("http:/user:pass@example.com/", "http:/example.com/");
	check_url("user:pass@example.com/x", "example.com/x");
	check_url("amqp://guest:guest@[::1]:5672/%2f", "amqp://[::1]:5672/%2f");
	check_url("", "");
	log_url("https://example.com", small, sizeof(small));
	assert_string_equal(small, "https:/");
}

static void *write_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++)
		log_info(NULL, "from a thread", log_integer("i", i));
	return NULL;
}

static void test_lines_of_several_threads_do_not_mix(void **state)
{
	struct capture c;
	pthread_t threads[2];
	size_t lines = 0;

	(void)state;
	capture_pipe(&c);
	log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, NULL), 0);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	capture_end(&c);
	for (char *line = strtok(c.text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
		assert_memory_equal(line, "{\"time\":", 8);
		assert_int_equal(line[strlen(line) - 1], '}');
	}
	assert_int_equal(lines, 400);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_json_line_has_everything_in_order),
    cmocka_unit_test(test_a_line_without_fields_or_context),
    cmocka_unit_test(test_hostile_values_cannot_forge_a_line),
    cmocka_unit_test(test_invalid_utf8_is_replaced),
    cmocka_unit_test(test_numbers_that_json_lacks_are_null),
    cmocka_unit_test(test_long_values_are_cut_between_characters),
    cmocka_unit_test(test_a_value_of_exactly_the_limit_is_whole),
    cmocka_unit_test(test_a_line_too_long_loses_whole_fields),
    cmocka_unit_test(test_text_line_is_aligned_and_quotes_what_needs_it),
    cmocka_unit_test(test_terminal_gets_colours_unless_told_not_to),
    cmocka_unit_test(test_levels_below_the_threshold_are_silent),
    cmocka_unit_test(test_names_of_levels_and_formats),
    cmocka_unit_test(test_urls_lose_their_secrets),
    cmocka_unit_test(test_lines_of_several_threads_do_not_mix),
};

RUN_TESTS(tests)
