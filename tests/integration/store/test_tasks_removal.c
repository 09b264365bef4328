/* Tasks that go, in PostgreSQL: the tests that SQLite has too. */
#include "server.h"
#include "tasks_cases.h"

int main(void)
{
	return tasks_removal_cases_run(server_new_database());
}
