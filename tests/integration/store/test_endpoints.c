/* Endpoints of callbacks in PostgreSQL: the tests that SQLite has too. */
#include "endpoints_cases.h"
#include "server.h"

int main(void)
{
	return endpoints_cases_run(server_new_database());
}
