"""Jobs that run later, or again and again: the scheduler, and the shell's command for it."""

import datetime
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import time
import urllib.parse

import msgpack
import pytest

from cli_support import FakeWorker, photo
from conftest import required
from fleet import SAMPLES, wait_until
from jobs import Client
from proxy import DOWN, Proxy

BATCH = "facefleet.jobs.batch"
REALTIME = "facefleet.jobs.realtime"
DAY_MS = 24 * 3600 * 1000


class SqliteStore:
    def __init__(self, fleet):
        self.path = fleet.use_store().removeprefix("sqlite:")

    def sql(self, statement):
        with sqlite3.connect(self.path, timeout=30) as connection:
            return connection.execute(statement).fetchall()

    def is_free(self):
        """Nobody is in the middle of a change."""
        try:
            with sqlite3.connect(self.path, timeout=0) as connection:
                connection.execute("BEGIN IMMEDIATE")
            return True
        except sqlite3.OperationalError:
            return False


class PostgresStore:
    def __init__(self, fleet):
        server = required("FACEFLEET_TEST_POSTGRES_URL")
        name = "t" + secrets.token_hex(6)
        self.url = server
        self.sql(f"CREATE DATABASE {name}")
        self.url = fleet.use_store(server.rsplit("/", 1)[0] + "/" + name)

    def sql(self, statement):
        done = subprocess.run(
            ["psql", "-qAt", "-F", "\t", self.url, "-c", statement], check=True, stdout=subprocess.PIPE, text=True
        )
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def is_free(self):
        """Nobody is in the middle of taking or using the lock."""
        try:
            return bool(self.sql("SELECT token FROM schedules_lock FOR UPDATE NOWAIT"))
        except subprocess.CalledProcessError:
            return False


@pytest.fixture(params=[SqliteStore, PostgresStore], ids=["sqlite", "postgresql"])
def store(request, fleet):
    return request.param(fleet)


@pytest.fixture
def sqlite(fleet):
    return SqliteStore(fleet)


@pytest.fixture
def pictures(tmp_path):
    return photo(tmp_path, "a.jpg", b"\xff\xd8 one"), photo(tmp_path, "b.jpg", b"\xff\xd8 two")


@pytest.fixture
def connect(fleet):
    """Makes clients once there is something to connect to."""
    clients = []

    def make():
        clients.append(Client(fleet.url))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def add(fleet, *arguments):
    done = fleet.shell("schedule", "add", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def schedules(fleet):
    done = fleet.shell("schedule", "list", "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def unix_ms(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def runs(scheduler, outcome):
    return scheduler.metric(f'facefleet_scheduler_runs_total{{outcome="{outcome}"}}') or 0


def is_leader(scheduler):
    return scheduler.metric("facefleet_scheduler_is_leader") == 1


# --- what is published ------------------------------------------------------------------------------


def test_a_delayed_job_runs_once(fleet, store, pictures, connect):
    scheduler = fleet.scheduler().wait_ready()
    client = connect()
    events = client.listen("facefleet.events")
    before = time.time() * 1000
    add(fleet, "--in", "1s", "match", *pictures, "--threshold", "0.5", "--name", "once")
    properties, body = client.next_message(BATCH)
    job = msgpack.unpackb(body)
    assert job["op"] == "match" and job["options"]["threshold"] == 0.5
    assert job["image_a"] == {"data": b"\xff\xd8 one"} and job["image_b"] == {"data": b"\xff\xd8 two"}
    assert properties.type == "facefleet.job.v1" and properties.content_type == "application/msgpack"
    accepted = properties.headers["facefleet-accepted"]
    assert accepted >= before + 1000
    assert properties.headers["facefleet-deadline"] == accepted + DAY_MS
    assert properties.headers["facefleet-attempt"] == 1 and properties.delivery_mode == 2
    said, event = client.next_message(events)
    event = json.loads(event)
    assert event["task_id"] == properties.message_id == said.message_id
    assert event["state"] == "pending" and event["op"] == "match" and event["attempt"] == 1
    assert said.headers["facefleet-accepted"] == accepted
    wait_until(lambda: schedules(fleet) == [], "the schedule is gone")
    assert runs(scheduler, "published") == 1 and client.count(BATCH) == 0


def test_realtime_has_its_lane_and_its_deadline(fleet, sqlite, pictures, connect):
    fleet.scheduler().wait_ready()
    client = connect()
    add(fleet, "--in", "0s", "verify", "ann", pictures[0], "--scene", "realtime", "--collection", "staff")
    properties, body = client.next_message(REALTIME)
    assert msgpack.unpackb(body)["user_id"] == "ann"
    assert properties.headers["facefleet-deadline"] == properties.headers["facefleet-accepted"] + 300


def test_a_periodic_job_runs_again(fleet, store, pictures, connect):
    fleet.scheduler().wait_ready()
    client = connect()
    name = add(fleet, "--every", "1s", "search", pictures[0])
    tasks = {client.next_message(BATCH)[0].message_id for _ in range(3)}
    assert len(tasks) == 3
    (schedule,) = schedules(fleet)
    assert schedule["schedule_id"] == name and schedule["every_ms"] == 1000
    # However late a run was: all are whole intervals from the beginning.
    assert (unix_ms(schedule["due_at"]) - unix_ms(schedule["created_at"])) % 1000 == 0
    assert fleet.shell("schedule", "remove", name).returncode == 0
    assert schedules(fleet) == []


def test_run_now_is_the_task_that_was_promised(fleet, store, pictures, connect):
    scheduler = fleet.scheduler().wait_ready()
    client = connect()
    name = add(fleet, "--cron", "0 4 1 1 *", "--time-zone", "Europe/Berlin", "--misfire", "skip", "search", pictures[0])
    (before,) = schedules(fleet)
    assert before["due_at"].endswith("-01-01T03:00:00.000Z")
    done = fleet.shell("schedule", "run-now", name)
    assert done.returncode == 0, done.stderr
    assert client.next_message(BATCH)[0].message_id == done.stdout.strip()
    wait_until(lambda: schedules(fleet)[0]["last_run_at"], "the run is recorded")
    (after,) = schedules(fleet)
    assert after["due_at"] == before["due_at"] and after["task_id"] is None
    assert runs(scheduler, "published") == 1


def test_the_owner_travels_along(fleet, sqlite, pictures, connect):
    fleet.scheduler().wait_ready()
    client = connect()
    events = client.listen("facefleet.events")
    name = add(fleet, "--in", "1h", "search", pictures[0])
    sqlite.sql("UPDATE schedules SET owner = 'key1'")
    assert fleet.shell("schedule", "run-now", name).returncode == 0
    for queue in (BATCH, events):
        assert client.next_message(queue)[0].headers["facefleet-owner"] == "key1"


def test_a_worker_answers_it(fleet, sqlite, connect):
    fleet.worker().wait_ready()
    fleet.scheduler().wait_ready()
    client = connect()
    replies = client.listen("facefleet.replies")
    add(fleet, "--in", "0s", "match", f"{SAMPLES}/person01_1.jpg", f"{SAMPLES}/person01_2.jpg")
    reply = client.next_reply(replies)
    assert reply["state"] == "succeeded" and reply["result"]["matched"] is True


# --- faults -------------------------------------------------------------------------------------------


def test_another_takes_over(fleet, store, pictures, connect):
    first = fleet.scheduler().wait_ready()
    wait_until(lambda: is_leader(first), "the first leads")
    second = fleet.scheduler().wait_ready()
    client = connect()
    add(fleet, "--in", "0s", "search", pictures[0])
    client.next_message(BATCH)
    assert is_leader(first) and not is_leader(second)
    first.kill()
    wait_until(lambda: is_leader(second), "the second leads")
    add(fleet, "--in", "0s", "search", pictures[0])
    client.next_message(BATCH)
    # One that ends in order hands over at once: the third would have to wait a minute otherwise.
    third = fleet.scheduler(scheduler__lock_ttl_ms=60000).wait_ready()
    second.terminate()
    wait_until(lambda: is_leader(third), "the third leads", 30)


def freeze(program, store):
    """Stops it between two changes: what it has locked in the store, nobody else gets while it is frozen."""

    def is_frozen():
        program.process.send_signal(signal.SIGSTOP)
        os.waitpid(program.process.pid, os.WUNTRACED)
        if store.is_free():
            return True
        program.process.send_signal(signal.SIGCONT)
        return False

    wait_until(is_frozen, "stopped between two changes")


def test_one_that_was_frozen_acts_no_longer(fleet, store, pictures, connect):
    """It wakes up believing that it leads: its token is not the newest."""
    first = fleet.scheduler().wait_ready()
    wait_until(lambda: is_leader(first), "the first leads")
    second = fleet.scheduler().wait_ready()
    client = connect()
    freeze(first, store)
    try:
        wait_until(lambda: is_leader(second), "the second leads")
        add(fleet, "--in", "0s", "search", pictures[0])
        client.next_message(BATCH)
    finally:
        first.process.send_signal(signal.SIGCONT)
    wait_until(lambda: not is_leader(first), "the first has noticed")
    assert is_leader(second)
    wait_until(lambda: schedules(fleet) == [], "it is recorded")
    assert runs(first, "published") == 0 and client.count(BATCH) == 0


def test_killed_between_publishing_and_recording(fleet, store, pictures, connect):
    """Both deliveries are the same task: its id was in the store before the first of them."""
    url = urllib.parse.urlsplit(fleet.url)
    proxy = Proxy(url.port)
    try:
        way = fleet.url.replace(f":{url.port}/", f":{proxy.port}/")
        first = fleet.scheduler(amqp__url=way).wait_ready()
        wait_until(lambda: is_leader(first), "it leads")
        client = connect()
        proxy.stall(DOWN)  # the confirm never arrives
        name = add(fleet, "--in", "0s", "search", pictures[0])
        wait_until(lambda: client.count(BATCH) == 1, "the job is on the broker")
        assert [schedule["schedule_id"] for schedule in schedules(fleet)] == [name]
        (promised,) = [schedule["task_id"] for schedule in schedules(fleet)]
        first.kill()
    finally:
        proxy.close()
    fleet.scheduler().wait_ready()
    wait_until(lambda: client.count(BATCH) == 2, "the job is there again")
    wait_until(lambda: schedules(fleet) == [], "it is recorded")
    (one, body), (other, again) = client.next_message(BATCH), client.next_message(BATCH)
    assert one.message_id == other.message_id == promised
    assert body == again
    assert client.count(BATCH) == 0


def test_what_was_missed_while_nobody_was_there(fleet, store, pictures, connect):
    single = add(fleet, "--in", "1h", "search", pictures[0], "--name", "single")
    once = add(fleet, "--every", "1h", "--misfire", "run-once", "verify", "ann", pictures[0])
    skipped = add(fleet, "--every", "1h", "--misfire", "skip", "verify", "ben", pictures[0])
    cron = add(fleet, "--cron", "@hourly", "--misfire", "skip", "verify", "cleo", pictures[0])
    # As if ten hours had passed.
    store.sql(f"UPDATE schedules SET due_ms = due_ms - {10 * 3600000}, created_at_ms = created_at_ms - {11 * 3600000}")
    scheduler = fleet.scheduler().wait_ready()
    client = connect()
    wait_until(lambda: runs(scheduler, "skipped") == 2 and runs(scheduler, "published") == 2, "all four are dealt with")

    def all_recorded():
        """Runs are counted before they are recorded."""
        rows = schedules(fleet)
        return len(rows) == 3 and all(unix_ms(row["due_at"]) > time.time() * 1000 for row in rows)

    wait_until(all_recorded, "the single one is gone, the others have a next run")
    assert client.count(BATCH) == 2
    jobs = [msgpack.unpackb(client.next_message(BATCH)[1]) for _ in range(2)]
    assert sorted((job["op"], job.get("user_id")) for job in jobs) == [("search", None), ("verify", "ann")]
    left = {schedule["schedule_id"]: schedule for schedule in schedules(fleet)}
    assert set(left) == {once, skipped, cron} and single not in left
    assert left[once]["last_run_at"] and not left[skipped]["last_run_at"] and not left[cron]["last_run_at"]


def test_a_full_lane_is_waited_for(fleet, sqlite, pictures, connect):
    scheduler = fleet.scheduler().wait_ready()
    connect()
    fleet.broker.command("ctl", "-q", "set_policy", "-p", fleet.vhost, "short", f"^{BATCH}$", '{"max-length": 2}')
    users = []

    def refused():
        """Adds another one: the broker notices a full queue, and a new policy, some messages late."""
        users.append(f"user{len(users)}")
        add(fleet, "--in", "0s", "enroll", users[-1], pictures[0])
        return runs(scheduler, "retried") > 0

    wait_until(refused, "some are refused")
    worker = FakeWorker(fleet.url)
    try:
        wait_until(lambda: {job.body["user_id"] for job in worker.jobs} == set(users), "all arrive")
        wait_until(lambda: schedules(fleet) == [], "all are recorded")
    finally:
        worker.close()
    assert len({job.properties.message_id for job in worker.jobs}) == len(users)


def test_a_broker_that_is_away_is_waited_for(fleet, sqlite, pictures, connect):
    url = urllib.parse.urlsplit(fleet.url)
    proxy = Proxy(url.port)
    try:
        way = fleet.url.replace(f":{url.port}/", f":{proxy.port}/")
        scheduler = fleet.scheduler(amqp__url=way, amqp__reconnect_max_ms=200).wait_ready()
        client = connect()
        proxy.cut()
        wait_until(lambda: scheduler.get("/readyz")[0] == 503, "it has noticed")
        add(fleet, "--in", "0s", "search", pictures[0])
        wait_until(lambda: scheduler.metric("facefleet_scheduler_window") == 1, "it knows of the job")
        assert scheduler.get("/healthz")[0] == 200
        assert sqlite.sql("SELECT task_id FROM schedules") == [("",)]
        proxy.mend()
        properties, _ = client.next_message(BATCH)
        assert properties.headers["facefleet-accepted"] > 0
        wait_until(lambda: schedules(fleet) == [], "it is recorded")
        scheduler.terminate()
    finally:
        proxy.close()


def test_a_store_that_is_away_is_waited_for(fleet, sqlite, pictures, connect):
    settings = {"store__timeout_ms": 100, "scheduler__lock_ttl_ms": 1000}
    scheduler = fleet.scheduler(**settings).wait_ready()
    client = connect()
    wait_until(lambda: is_leader(scheduler), "it leads")
    add(fleet, "--in", "5s", "search", pictures[0])
    ((due_ms,),) = sqlite.sql("SELECT due_ms FROM schedules")
    connection = sqlite3.connect(sqlite.path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    wait_until(lambda: not is_leader(scheduler), "it could not renew the lock")
    wait_until(lambda: "the store does not answer" in scheduler.get("/readyz")[1], "it says why")
    wait_until(lambda: time.time() * 1000 > due_ms, "the job is due")
    assert client.count(BATCH) == 0
    connection.execute("ROLLBACK")
    connection.close()
    client.next_message(BATCH)
    wait_until(lambda: schedules(fleet) == [], "it is recorded")
    assert scheduler.metric("facefleet_scheduler_store_errors_total") > 0


def test_a_job_that_cannot_be_read_does_not_stop_others(fleet, sqlite, pictures, connect):
    add(fleet, "--in", "0s", "search", pictures[0])
    sqlite.sql("UPDATE schedules SET job = x'c1'")
    scheduler = fleet.scheduler().wait_ready()
    add(fleet, "--in", "0s", "search", pictures[1])
    client = connect()
    client.next_message(BATCH)
    wait_until(lambda: schedules(fleet) == [], "both are recorded")
    assert runs(scheduler, "invalid") == 1 and client.count(BATCH) == 0
    assert "can never be published" in scheduler.log()


def test_without_a_store_it_does_not_start(fleet):
    scheduler = fleet.scheduler()
    scheduler.killed = True
    assert scheduler.process.wait(timeout=30) == 2
    assert "store.url is empty" in scheduler.log()


# --- the shell ----------------------------------------------------------------------------------------


def test_list_and_remove(fleet, sqlite, pictures):
    done = fleet.shell("schedule")
    assert done.returncode == 0 and done.stdout == ""
    names = [add(fleet, "--in", f"{number}h", "unenroll", f"user{number}") for number in range(1, 4)]
    assert [schedule["schedule_id"] for schedule in schedules(fleet)] == names
    assert [schedule["user_id"] for schedule in schedules(fleet)] == ["user1", "user2", "user3"]
    assert fleet.shell("schedule", "remove", names[1]).returncode == 0
    done = fleet.shell("schedule", "remove", names[1])
    assert done.returncode == 1 and names[1] in done.stderr
    assert fleet.shell("schedule", "run-now", names[1]).returncode == 1
    assert [schedule["schedule_id"] for schedule in schedules(fleet)] == [names[0], names[2]]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["add", "--in", "1m"], "more operands"),
        (["add", "match", "a.jpg", "b.jpg"], "one of --at"),
        (["add", "--in", "1m", "watch", "a.jpg"], "which job"),
        (["add", "--in", "1m", "match", "a.jpg"], "two photographs"),
        (["add", "--in", "1m", "unenroll", "ann", "--threshold", "0.5"], "does not go with unenroll"),
        (["add", "--in", "1m", "match", "a.jpg", "b.jpg", "--collection", "c"], "does not go with match"),
        (["add", "--cron", "0 0 31 2 *", "unenroll", "ann"], "cron: day"),
        (["add", "--cron", "@daily", "--time-zone", "../../etc/passwd", "unenroll", "ann"], "time zone"),
        (["add", "--in", "1m", "--json", "unenroll", "ann"], "--json does not go with add"),
        (["list", "--in", "1m"], "--in does not go with list"),
        (["remove"], "more operands"),
        (["forget", "x"], "list, add, remove or run-now"),
    ],
)
def test_usage(fleet, sqlite, arguments, words):
    done = fleet.shell("schedule", *arguments)
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert schedules(fleet) == []


def test_a_photograph_that_is_not_there(fleet, sqlite, tmp_path):
    done = fleet.shell("schedule", "add", "--in", "1m", "search", str(tmp_path / "none.jpg"))
    assert done.returncode == 2 and "none.jpg" in done.stderr
    assert schedules(fleet) == []


def test_erase_removes_what_is_scheduled(fleet, store, pictures):
    assert fleet.shell("topology", "--apply").returncode == 0
    add(fleet, "--every", "1h", "verify", "ann", pictures[0], "--collection", "staff")
    add(fleet, "--every", "1h", "verify", "ann", pictures[0])
    kept = add(fleet, "--every", "1h", "verify", "ben", pictures[0])
    done = fleet.shell("erase", "ann", "--yes", "--collection", "staff")
    assert done.returncode == 0, done.stderr
    assert "1 scheduled job removed" in done.stdout
    done = fleet.shell("erase", "ann", "--yes")
    assert "1 scheduled job removed" in done.stdout, done.stdout
    assert [schedule["schedule_id"] for schedule in schedules(fleet)] == [kept]


def test_a_long_list_is_interrupted(fleet, store):
    store.sql(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO schedules SELECT"
        " '01900000-0000-7000-8000-' || CAST(100000000000 + i AS TEXT), '', '', 'unenroll', 'batch', 'ann', 'default',"
        " '', '', 0, 0, 4000000000000, '', 1, 0, '' FROM n"
    )
    shell = fleet.start_shell("schedule", "list", stdout=subprocess.PIPE, text=True)
    assert json.loads(shell.stdout.readline())["user_id"] == "ann"
    shell.send_signal(signal.SIGINT)  # it waits for its reader
    lines = shell.stdout.read().splitlines()
    shell.stdout.close()
    assert shell.wait(timeout=60) == 130
    assert len(lines) < 4999 and all(json.loads(line) for line in lines)


def test_the_lock_is_kept_however_seldom_the_table_is_read(fleet, sqlite):
    done = fleet.shell("schedule", "add", "--in", "8s", "unenroll", "guest")
    assert done.returncode == 0, done.stderr
    fleet.scheduler(scheduler__poll_ms=60000, scheduler__lock_ttl_ms=1000).wait_ready()
    wait_until(lambda: fleet.depth(BATCH) == 1, "the job is published", 30)
