/* API keys in PostgreSQL: the tests that SQLite has too. */
#include "keys_cases.h"
#include "server.h"

int main(void)
{
	return keys_cases_run(server_new_database());
}
