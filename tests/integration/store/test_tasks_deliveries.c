/* Deliveries of callbacks, in PostgreSQL: the tests that SQLite has too. */
#include "server.h"
#include "tasks_cases.h"

int main(void)
{
	return tasks_deliveries_cases_run(server_new_database());
}
