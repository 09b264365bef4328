/* Enrolled people in PostgreSQL: the tests that SQLite has too. */
#include "people_cases.h"
#include "server.h"

int main(void)
{
	return people_cases_run(server_new_database());
}
