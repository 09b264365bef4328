/* Collections in PostgreSQL: the tests that SQLite has too. */
#include "collections_cases.h"
#include "server.h"

int main(void)
{
	return collections_cases_run(server_new_database());
}
