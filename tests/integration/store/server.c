#include "server.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"

static void give_up(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static const char *required(const char *variable)
{
	const char *value = getenv(variable);

	if (!value)
		give_up(
		    "FACEFLEET_TEST_POSTGRES and FACEFLEET_TEST_POSTGRES_URL are not set: run this with ./tests/run");
	return value;
}

const char *server_new_database(void)
{
	static char url[512];
	const char *server = required("FACEFLEET_TEST_POSTGRES_URL");
	char id[UUID_SIZE];
	char sql[128];
	PGconn *connection = PQconnectdb(server);

	uuid_v7(id);
	snprintf(sql, sizeof(sql), "CREATE DATABASE \"%s\"", id);
	PGresult *result = PQexec(connection, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		give_up(PQerrorMessage(connection));
	PQclear(result);
	PQfinish(connection);
	snprintf(url, sizeof(url), "%.*s/%s", (int)(strrchr(server, '/') - server), server, id);
	return url;
}

static void run_script(const char *command)
{
	char line[1024];

	snprintf(line, sizeof(line), "'%s' %s '%s' >/dev/null", PRIVATE_POSTGRES, command,
		 required("FACEFLEET_TEST_POSTGRES"));
	if (system(line) != 0)
		give_up(line);
}

void server_kill(void)
{
	run_script("kill");
}

void server_start(void)
{
	run_script("start");
}
