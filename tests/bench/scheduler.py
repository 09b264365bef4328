#!/usr/bin/python3
"""What a million schedules cost the scheduler: memory, time to start, wake-ups while nothing is due, and how late a thousand
jobs are that are due in the same second.

usage: scheduler.py [--bin DIR] [--schedules N] [--postgres] [--idle SECONDS]

With --postgres the table is in a private PostgreSQL, otherwise in a file.
"""

import argparse
import os
import sqlite3
import subprocess
import time

import pika

from bench import add_bin_option, private_fleet, private_postgres, wait_until

BATCH = "facefleet.jobs.batch"
COUNT = 1000
# An unenrolment in MessagePack: {"op": "unenroll", "user_id": "nobody"}
JOB = b"\x82\xa2op\xa8unenroll\xa7user_id\xa6nobody"
COLUMNS = (
    "schedule_id, name, owner, op, scene, user_id, collection, cron, time_zone, every_ms, misfire, due_ms, task_id,"
    " created_at_ms, last_run_ms, job"
)


def insert(first, count, due):
    """SQL for both: schedules `first` to `first` + count; `due` is SQL with n for the number within them."""
    numbers = f"WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {count - 1})"
    job = "x'" + JOB.hex() + "'"
    return (
        f"INSERT INTO schedules ({COLUMNS}) {numbers} SELECT '00000000-0000-7000-8000-' || HEX12({first} + n), '', '',"
        f" 'unenroll', 'batch', 'nobody', 'default', '', '', 0, 0, {due}, '', 0, 0, {job} FROM s"
    )


class Sqlite:
    name = "SQLite"

    def __init__(self, fleet):
        self.path = fleet.use_store().removeprefix("sqlite:")

    def run(self, statement):
        with sqlite3.connect(self.path, timeout=60) as connection:
            return connection.execute(statement.replace("HEX12(", "printf('%012x', ")).fetchall()


class Postgres:
    name = "PostgreSQL"

    def __init__(self, fleet, url):
        self.url = url
        fleet.use_store(url)

    def run(self, statement):
        statement = statement.replace("HEX12(", "hex12(").replace(f"x'{JOB.hex()}'", f"'\\x{JOB.hex()}'::bytea")
        function = (
            "CREATE OR REPLACE FUNCTION hex12(bigint) RETURNS text LANGUAGE sql AS $$SELECT lpad(to_hex($1), 12, '0')$$;"
        )
        done = subprocess.run(
            ["psql", "-qAt", self.url, "-c", function, "-c", statement, "-c", "ANALYZE schedules"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return [(line,) for line in done.stdout.splitlines()]


def memory(scheduler):
    with open(f"/proc/{scheduler.process.pid}/status", encoding="ascii") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["VmRSS"].split()[0]), int(lines["VmHWM"].split()[0])


def switches(scheduler):
    """Voluntary context switches of each thread: each is a time it went to sleep."""
    found = {}
    folder = f"/proc/{scheduler.process.pid}/task"
    for task in os.listdir(folder):
        with open(f"{folder}/{task}/comm", encoding="ascii") as comm:
            name = comm.read().strip()
        with open(f"{folder}/{task}/status", encoding="ascii") as status:
            number = next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))
        found[f"{name} {task}"] = number
    return found


def processor_seconds(scheduler):
    with open(f"/proc/{scheduler.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_start(fleet):
    began = time.monotonic()
    scheduler = fleet.scheduler()
    wait_until(lambda: (scheduler.metric("facefleet_scheduler_window") or 0) >= 10000, "its window is filled", 120)
    print(f"start until the window is filled: {time.monotonic() - began:.2f} s")
    scheduler.wait_ready()
    wait_until(lambda: (scheduler.metric("facefleet_scheduler_schedules") or 0) > 0, "they are counted", 120)
    print(f"schedules: {scheduler.metric('facefleet_scheduler_schedules'):.0f}, in memory 10000")
    print("memory: RSS {} KiB, at most {} KiB".format(*memory(scheduler)), flush=True)
    return scheduler


def measure_idle(scheduler, seconds):
    before, used = switches(scheduler), processor_seconds(scheduler)
    time.sleep(seconds)
    after = switches(scheduler)
    print(f"idle for {seconds} s: {processor_seconds(scheduler) - used:.2f} s of a processor; went to sleep:")
    for name in sorted(after):
        print(f"  {name}: {after[name] - before.get(name, 0)}")


def measure_lateness(fleet, store, scheduler, first):
    due = int(time.time() + 5) * 1000
    store.run(insert(first, COUNT, str(due)))
    store.run("UPDATE schedules_version SET version = version + 1")
    wait_until(lambda: scheduler.metric('facefleet_scheduler_runs_total{outcome="published"}') == COUNT, "all are out", 120)
    left = f"SELECT COUNT(*) FROM schedules WHERE due_ms = {due}"
    wait_until(lambda: int(store.run(left)[0][0]) == 0, "all are recorded")
    late = []
    with pika.BlockingConnection(pika.URLParameters(fleet.url)) as connection:
        channel = connection.channel()
        for _ in range(COUNT):
            _, properties, _ = channel.basic_get(BATCH, auto_ack=True)
            late.append(properties.headers["facefleet-accepted"] - due)
    late.sort()
    print(f"{COUNT} jobs due in the same second, published after it (ms):", end="")
    print(f" first {late[0]}, median {late[COUNT // 2]}, 99 % {late[COUNT * 99 // 100]}, last {late[-1]}")
    total = scheduler.metric("facefleet_scheduler_due_lag_seconds_sum")
    print(f"confirmed by the broker on average {1000 * total / COUNT:.0f} ms after it")
    print("memory: RSS {} KiB, at most {} KiB".format(*memory(scheduler)))


def measure(fleet, store, arguments):
    hour_ms = 3600000
    now_ms = int(time.time() * 1000)
    # Due evenly over ten days, beginning in ten minutes: more than ten thousand of them within the hour when there are many.
    store.run(insert(0, arguments.schedules, f"{now_ms + 600000} + n * {max(1, 240 * hour_ms // arguments.schedules)}"))
    store.run(insert(1 << 30, 20000, f"{now_ms + 900000} + n * 50"))
    print(f"{store.name}, {arguments.schedules + 20000} schedules", flush=True)
    scheduler = measure_start(fleet)
    measure_idle(scheduler, arguments.idle)
    measure_lateness(fleet, store, scheduler, 1 << 31)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--schedules", type=int, default=1000000)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--idle", type=int, default=60)
    arguments = parser.parse_args()
    with private_fleet(arguments.bin) as fleet:
        if not arguments.postgres:
            measure(fleet, Sqlite(fleet), arguments)
            return
        with private_postgres() as postgres:
            measure(fleet, Postgres(fleet, postgres.url), arguments)


if __name__ == "__main__":
    main()
