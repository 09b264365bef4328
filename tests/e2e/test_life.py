"""How the long-running programs begin and end: what they tell the service manager, and that a second signal hurries."""

import os
import signal
import socket
import sqlite3
import urllib.parse

import pytest

from fleet import wait_until
from http_support import form
from jobs import match_job, new_task_id, photo
from proxy import DOWN, Proxy
from settings_support import Settings
from test_tracker import Publisher

PROGRAMS = ("worker", "callback", "tracker", "gateway", "scheduler")
JOB = match_job(photo("person01_1"), photo("person01_2"))
BATCH = "facefleet.jobs.batch"
# So long that a program which is not hurried fails the test, and no test waits for it.
LONG_MS = 300000


class Manager:
    """A service manager's end of sd_notify(3)."""

    def __init__(self, fleet, is_abstract):
        name = os.path.join(fleet.folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if is_abstract else name)
        self.socket.settimeout(60)
        fleet.environment["NOTIFY_SOCKET"] = "@" + name[1:] if is_abstract else name
        fleet.environment["WATCHDOG_USEC"] = "400000"

    def hear(self):
        return self.socket.recv(4096).decode()

    def wait_for(self, wanted):
        """What is said before it."""
        said = []
        while True:
            said.append(self.hear())
            if said[-1] == wanted:
                return said[:-1]

    def close(self):
        self.socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request, fleet):
    manager = Manager(fleet, request.param == "abstract")
    yield manager
    manager.close()


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_service_manager_is_told(fleet, manager, name):
    fleet.use_store()
    settings = {"callback__secret": "whsec_" + "A" * 43 + "="} if name == "callback" else {}
    program = getattr(fleet, name)(**settings)
    assert set(manager.wait_for("READY=1")) <= {"WATCHDOG=1"}
    assert program.get("/readyz")[0] == 200
    assert manager.hear() == "WATCHDOG=1"
    assert program.terminate() == 0
    assert set(manager.wait_for("STOPPING=1")) <= {"WATCHDOG=1"}


def test_the_service_manager_is_told_of_a_renewal(fleet, manager, tmp_path):
    settings = Settings(fleet, tmp_path / "facefleet.yaml")
    worker = fleet.start("facefleet-worker", {"worker.renew_within_ms": 0}).wait_ready()
    manager.wait_for("READY=1")
    settings.write("image: {max_side: 5000}")
    worker.process.send_signal(signal.SIGHUP)
    said = []
    while "READY=1" not in said:
        said += manager.hear().splitlines()
    assert "RELOADING=1" in said and any(line.startswith("MONOTONIC_USEC=") for line in said)
    assert "STOPPING=1" not in said
    assert worker.terminate() == 0


def test_who_is_not_ready_does_not_say_so(fleet, manager):
    """Alive, though: a broker that is away is waited for."""
    worker = fleet.worker(amqp__url="amqp://127.0.0.1:1/")
    assert [manager.hear() for _ in range(5)] == ["WATCHDOG=1"] * 5
    assert worker.terminate() == 0
    assert set(manager.wait_for("STOPPING=1")) <= {"WATCHDOG=1"}


@pytest.fixture
def held(fleet):
    """A way to the broker that can be held, and the URL of it."""
    url = urllib.parse.urlsplit(fleet.url)
    proxy = Proxy(url.port)
    yield proxy, fleet.url.replace(f":{url.port}/", f":{proxy.port}/")
    proxy.close()


def stop_twice(program):
    """Asks to stop, and again once it is under way. Its exit status."""
    program.process.send_signal(signal.SIGTERM)
    wait_until(lambda: '"stopping' in program.log() or '"draining"' in program.log(), "it has seen the signal")
    program.process.send_signal(signal.SIGTERM)
    status = program.process.wait(timeout=60)
    ends = [line for line in program.log_lines() if line.get("idle") is False or "giving unfinished" in str(line)]
    assert ends, "something was left to do"
    return status


def test_a_hurried_worker_gives_back_what_it_holds(fleet, client):
    worker = fleet.worker(worker__drain_timeout_ms=LONG_MS).wait_ready()
    client.channel.queue_unbind("facefleet.callbacks", "facefleet.replies", "task.*.*.callback")
    client.publish({**JOB, "callback": {"url": "https://127.0.0.1:9/"}}, reply_to=None)
    wait_until(lambda: worker.metric("facefleet_worker_replies_refused_total"), "no queue takes its reply")
    assert stop_twice(worker) == 0
    wait_until(lambda: client.count(BATCH) == 1, "the job is there again")


def test_a_hurried_gateway_leaves_a_request_unanswered(fleet, held):
    proxy, way = held
    settings = {"gateway__drain_timeout_ms": LONG_MS, "gateway__confirm_timeout_ms": 60000}
    gateway = fleet.gateway(amqp__url=way, **settings).wait_ready()
    content_type, body = form({"image_a": photo("person01_1"), "image_b": photo("person01_2")})
    proxy.stall(DOWN)  # the confirm never arrives
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(
            f"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body
        )
        wait_until(lambda: gateway.metric("facefleet_gateway_waiting") == 1, "it waits for the broker")
        assert stop_twice(gateway) == 0


def test_a_hurried_gateway_begins_nothing_more(fleet):
    url = fleet.use_store()
    settings = {"gateway__drain_timeout_ms": LONG_MS, "gateway__threads": 1, "store__timeout_ms": 60000}
    gateway = fleet.gateway(**settings).wait_ready()
    content_type, body = form({"image_a": photo("person01_1"), "image_b": photo("person01_2")})
    connection = sqlite3.connect(url.removeprefix("sqlite:"), isolation_level=None)
    clients = []
    try:
        connection.execute("BEGIN IMMEDIATE")
        for key in range(3):
            clients.append(socket.create_connection(("127.0.0.1", gateway.port), timeout=60))
            clients[-1].sendall(
                f"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nIdempotency-Key: {key}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode() + body
            )
        assert gateway.get("/healthz")[0] == 200, "it has heard them all"
        for said in ('"stopping', '"message":"stopped"'):
            gateway.process.send_signal(signal.SIGTERM)
            wait_until(lambda said=said: said in gateway.log(), said)
        connection.execute("ROLLBACK")
        assert gateway.process.wait(timeout=60) == 0
        accepted = [client.recv(4096).startswith(b"HTTP/1.1 202 ") for client in clients]
        assert accepted.count(True) <= 1, "only what was begun went on"
        assert connection.execute("SELECT COUNT(*) FROM idempotency_keys").fetchone()[0] <= 1
    finally:
        connection.close()
        for client in clients:
            client.close()


def test_a_hurried_tracker_leaves_messages_on_the_queue(fleet):
    url = fleet.use_store()
    done = fleet.shell("topology", "--apply")
    assert done.returncode == 0, done.stderr
    publisher = Publisher(fleet.url)
    # Longer than it takes to stop it twice: given up, the message would go back without a hurry.
    tracker = fleet.tracker(store__timeout_ms=5000).wait_ready()
    connection = sqlite3.connect(url.removeprefix("sqlite:"), isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        publisher.event(new_task_id(), "running")
        wait_until(lambda: tracker.metric("facefleet_tracker_in_hand") == 1, "it has the message")
        assert stop_twice(tracker) == 0
        wait_until(lambda: fleet.depth("facefleet.tracker") == 1, "the message is there again")
    finally:
        connection.close()
        publisher.close()


def test_a_hurried_scheduler_keeps_what_was_not_confirmed(fleet, held):
    fleet.use_store()
    proxy, way = held
    scheduler = fleet.scheduler(amqp__url=way).wait_ready()
    proxy.stall(DOWN)  # the confirm never arrives
    done = fleet.shell("schedule", "add", "--in", "0s", "unenroll", "guest")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: fleet.depth(BATCH) == 1, "it is published")
    assert stop_twice(scheduler) == 0
    assert "guest" in fleet.shell("schedule", "list").stdout
