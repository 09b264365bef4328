#include "cli/arguments/ask_args.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/output/json_row.h"
#include "cli/output/report.h"
#include "cli/output/terminal.h"

#define DEFAULT_TIMEOUT_S 60
#define MAX_TIMEOUT_S 86400

const struct arg_option ask_args_options[] = {
    {"json", 'j', NULL, "Print the reply as JSON."},
    {"timeout", 't', "S", "Seconds to wait for the reply; 60 without it."},
    {0},
};

int ask_args_read(struct ask_args *out, const struct args *args, struct error *err)
{
	double timeout_s = DEFAULT_TIMEOUT_S;
	int r = args_number(args, "timeout", 0.1, MAX_TIMEOUT_S, &timeout_s, err);

	if (r < 0)
		return r;
	out->json = args_count(args, "json") > 0;
	out->timeout_ms = (int64_t)(timeout_s * 1000);
	return 0;
}

bool ask_args_print_json(const struct reply *reply)
{
	struct buffer json = {0};
	bool encoded = reply_encode(reply, ENCODING_JSON, &json) == 0;

	if (encoded && terminal_of(STDOUT_FILENO).interactive)
		encoded = json_row_print(json_loadb((const char *)json.data, json.size, 0, NULL), false, stdout) == 0;
	else if (encoded)
		printf("%s\n", (const char *)json.data);
	if (!encoded)
		report_error("out of memory");
	buffer_finish(&json);
	return encoded;
}
