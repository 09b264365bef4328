"""What the tracker wrote, read past it. Standard library only."""

import secrets
import sqlite3
import subprocess

STATES = ("pending", "running", "succeeded", "failed", "retrying", "final_failed")
RANKS = {"pending": 0, "running": 1, "failed": 2, "retrying": 3, "succeeded": 9, "final_failed": 9}


def psql(sql, url):
    """The rows of a statement, each a list of texts."""
    done = subprocess.run(["psql", "-qAtX", "-F", "\t", url, "-c", sql], check=True, stdout=subprocess.PIPE, text=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def new_database(fleet, server):
    """An empty one on a PostgreSQL server, which the fleet uses from now on."""
    name = "t" + secrets.token_hex(6)
    psql(f"CREATE DATABASE {name}", server)
    return Store(fleet.use_store(f"{server.rsplit('/', 1)[0]}/{name}"))


class Store:
    def __init__(self, url):
        self.url = url

    def query(self, sql):
        if self.url.startswith("sqlite:"):
            with sqlite3.connect(self.url.removeprefix("sqlite:"), timeout=30) as connection:
                return [[str(value) for value in row] for row in connection.execute(sql)]
        return psql(sql, self.url)

    def states(self):
        """Tasks by state."""
        return {state: int(count) for state, count in self.query("SELECT state, COUNT(*) FROM tasks GROUP BY state")}

    def terminal(self):
        states = self.states()
        return states.get("succeeded", 0) + states.get("final_failed", 0)

    def task(self, task_id, columns="state, attempt, worker, error_code, scene, owner"):
        rows = self.query(f"SELECT {columns} FROM tasks WHERE task_id = '{task_id}'")
        return rows[0] if rows else None

    def log(self, task_id):
        rows = self.query(f"SELECT state, attempt FROM task_log WHERE task_id = '{task_id}' ORDER BY number")
        return [(state, int(attempt)) for state, attempt in rows]

    def faults(self):
        """What is wrong. Every log leads forward, a line at a time, to the state of its task; the counts are right."""
        logs, faults = {}, []
        for task_id, number, state, attempt in self.query(
            "SELECT task_id, number, state, attempt FROM task_log ORDER BY task_id, number"
        ):
            log = logs.setdefault(task_id, [])
            if int(number) != len(log) + 1:
                faults.append(f"task {task_id}: line {number} of its log comes after {len(log)} lines")
            log.append((99 if RANKS[state] == 9 else int(attempt), RANKS[state]))
        for task_id, log in logs.items():
            if not all(a < b for a, b in zip(log, log[1:])):
                faults.append(f"task {task_id}: its log goes backwards: {self.log(task_id)}")
        tasks = self.query("SELECT task_id, state, transitions FROM tasks")
        for task_id, state, transitions in tasks:
            log = logs.pop(task_id, [])
            if len(log) != int(transitions) or not log or log[-1][1] != RANKS[state]:
                kept = self.log(task_id)
                faults.append(f"task {task_id}: {state} after {transitions} transitions, but its log is {kept}")
        faults += [f"task {task_id}: a log without a task" for task_id in logs]
        (kept,) = self.query(f"SELECT {', '.join(STATES)} FROM task_counts")
        states = self.states()
        if [int(number) for number in kept] != [states.get(name, 0) for name in STATES]:
            faults.append(f"the counts kept are {dict(zip(STATES, kept))}, the tasks are {states}")
        return faults

    def check(self):
        assert self.faults() == []

    def cut_off(self):
        """Ends every connection to the database, and lets nobody in."""
        server, name = self.url.rsplit("/", 1)
        psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", server + "/postgres")
        psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'", server + "/postgres")

    def let_in(self):
        server, name = self.url.rsplit("/", 1)
        psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true", server + "/postgres")
