/* Central settings in PostgreSQL: the tests that SQLite has too. */
#include "central_cases.h"
#include "server.h"

int main(void)
{
	return central_cases_run(server_new_database());
}
