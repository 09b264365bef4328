#include "cli/commands/in_store.h"

#include "cli/output/report.h"
#include "store/store.h"

enum exit_status in_store_run(const struct cli *cli, const struct action *action)
{
	struct store *store = NULL;
	struct error err = {0};

	if (store_open_from_config(&store, cli->config, &err) < 0)
		return report_failure(&err);
	enum exit_status status = action->run(cli, store);
	store_close(store);
	return status;
}
