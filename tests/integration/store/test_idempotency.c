/* Requests that may be repeated in PostgreSQL: the tests that SQLite has too. */
#include "idempotency_cases.h"
#include "server.h"

int main(void)
{
	return idempotency_cases_run(server_new_database());
}
