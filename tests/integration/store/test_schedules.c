/* Schedules in PostgreSQL: the tests that SQLite has too. */
#include "schedules_cases.h"
#include "server.h"

int main(void)
{
	return schedules_cases_run(server_new_database());
}
