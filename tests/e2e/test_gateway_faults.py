"""The HTTP API when something is away, and with clients that do not behave."""

import concurrent.futures
import re
import socket
import ssl
import subprocess
import time
import urllib.request

import pytest

from fleet import wait_until
from gateway_support import pair, refused, task
from http_support import Api, form
from jobs import Client


# --- when something is away --------------------------------------------------------------------------------


def test_nobody_works_and_the_wait_ends(alone):
    api, _ = alone
    answer = api.post_form("/v1/match", pair(), prefer="wait=1")
    assert answer.status == 202 and answer.headers["preference-applied"] == "wait=1"
    assert task(api, answer.json["task_id"])["state"] == "pending"
    events = api.events(f"/v1/tasks/{answer.json['task_id']}/events")
    wait_until(lambda: events.states(answer.json["task_id"]) == ["pending"], "the stream begins with the state")
    events.close()
    answer = api.post_form("/v1/match", pair(), prefer="respond-async, wait=1")
    assert answer.status == 202 and answer.headers["preference-applied"] == "wait=1"
    answer = api.post_form("/v1/match", pair(), prefer="respond-async")
    assert answer.status == 202 and answer.headers["preference-applied"] == "respond-async"


def test_without_a_store(alone):
    api, _ = alone
    assert api.get("/v1/tasks").code == "store_unavailable"
    assert api.get("/v1/tasks/01900000-0000-7000-8000-000000000000").code == "store_unavailable"


def test_a_store_that_is_away(fleet):
    fleet.environment["FACEFLEET_STORE_URL"] = "postgresql://facefleet:secret@127.0.0.1:1/facefleet"
    program = fleet.gateway(store__timeout_ms=500).wait_ready()
    api = Api(program.port)
    for path in ("/v1/tasks", "/v1/tasks/01900000-0000-7000-8000-000000000000"):
        answer = api.get(path)
        assert (answer.status, answer.code) == (503, "store_unavailable"), answer.body
        assert answer.headers["retry-after"] == "1" and b"secret" not in answer.body
        assert "detail" not in answer.json, "where the store is, is not the client's business"
    assert "Connection refused" in program.log() and "secret" not in program.log()
    accepted = api.post_form("/v1/match", pair())
    assert accepted.status == 202, "jobs need no store"
    assert task(api, accepted.json["task_id"])["state"] == "pending", "known from memory"
    assert api.post_form("/v1/match", pair(), idempotency_key="k").code == "store_unavailable"
    assert program.get("/readyz")[0] == 200


def test_recorded_by_the_tracker(fleet):
    fleet.use_store()
    api = Api(fleet.gateway().wait_ready().port)
    fleet.tracker().wait_ready()
    fleet.worker().wait_ready()
    accepted = [api.post_form("/v1/match", pair(reference=str(i))).json["task_id"] for i in range(5)]

    def recorded(task_id):
        shown = task(api, task_id)
        return shown if shown["history"] and shown["history"][-1]["state"] == "succeeded" else None

    for task_id in accepted:
        shown = wait_until(lambda: recorded(task_id), "it is recorded")
        # The worker's first word may overtake the gateway's.
        assert shown["history"][0]["state"] in ("pending", "running")
        assert shown["state"] == "succeeded" and shown["reply"]["result"]["matched"] is True
    pages, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/v1/tasks?state=succeeded&limit=2&cursor={cursor}").json
        pages += [row["task_id"] for row in page["tasks"]]
        cursor = page["next"]
    assert pages == accepted[::-1], "newest first, each once"
    assert api.get("/v1/tasks?scene=realtime").json["tasks"] == []


def test_a_broker_that_is_away(alone, broker):
    api, program = alone
    waiting = socket.create_connection(("127.0.0.1", api.port), timeout=60)
    content_type, body = form(pair())
    waiting.sendall(
        f"POST /v1/match HTTP/1.1\r\nHost: x\r\nPrefer: wait=30\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    )
    wait_until(lambda: program.metric('facefleet_gateway_accepted_total{op="match"}') == 1, "the job is with the broker")
    broker.command("ctl", "stop_app")
    try:
        wait_until(lambda: program.get("/readyz")[0] == 503, "the gateway has noticed")
        # Perhaps of the other of its two connections only.
        answer = wait_until(lambda: refused(api, "broker_unavailable"), "jobs are refused")
        assert answer.headers["retry-after"] == "1"
        assert program.get("/healthz")[0] == 200
    finally:
        broker.command("ctl", "start_app")
    program.wait_ready()
    assert api.post_form("/v1/match", pair()).status == 202
    waiting.close()


def test_a_broker_that_is_short_of_memory(fleet, broker):
    """The first job goes out before the broker says that it takes none."""
    program = fleet.gateway(gateway__confirm_timeout_ms=300).wait_ready()
    api = Api(program.port)
    broker.command("ctl", "set_vm_memory_high_watermark", "absolute", "1")
    try:
        answer = wait_until(lambda: refused(api, "unconfirmed"), "it does not confirm")
        assert answer.headers["retry-after"] == "1"
        assert task(api, answer.json["task_id"])["state"] == "pending", "it may exist"
        answer = wait_until(lambda: refused(api, "broker_unavailable"), "it has said so")
        assert "task_id" not in answer.json
        assert program.get("/readyz")[0] == 503
    finally:
        broker.command("ctl", "set_vm_memory_high_watermark", "0.8")
    program.wait_ready()
    wait_until(lambda: api.post_form("/v1/match", pair()).status == 202, "it confirms in time again")


def test_a_queue_that_is_full(alone, fleet, broker):
    api, _ = alone
    policy = {"pattern": "^facefleet\\.jobs\\.batch$", "definition": {"max-length": 1}, "apply-to": "queues"}
    broker.api("PUT", f"policies/{fleet.vhost}/full", policy)
    answer = wait_until(lambda: refused(api, "queue_full"), "the policy holds")
    assert answer.headers["retry-after"] == "1"
    assert "task_id" not in answer.json


# --- clients that do not behave -----------------------------------------------------------------------------


def test_slow_clients(fleet):
    program = fleet.gateway(gateway__body_timeout_ms=2000).wait_ready()
    api = Api(program.port)
    began = api.raw(b"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
    assert b"202" not in began, "it is closed long before anything else would"
    assert api.post_form("/v1/match", pair()).status == 202


def test_over_tls(fleet, tmp_path):
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", key, "-out", cert, "-days", "2"]
    subprocess.run([*command, *names], check=True, capture_output=True)
    program = fleet.gateway(gateway__cert_file=cert, gateway__key_file=key)
    context = ssl.create_default_context(cafile=cert)

    def ready():
        try:
            url = f"https://localhost:{program.port}/readyz"
            return urllib.request.urlopen(url, context=context, timeout=60).status == 200
        except OSError:
            return False

    wait_until(ready, "it answers over TLS")
    content_type, body = form(pair())
    request = urllib.request.Request(
        f"https://localhost:{program.port}/v1/match", data=body, headers={"content-type": content_type}
    )
    assert urllib.request.urlopen(request, context=context, timeout=60).status == 202


def test_a_client_that_leaves(alone):
    api, program = alone
    content_type, body = form(pair())
    head = (
        f"POST /v1/match HTTP/1.1\r\nHost: x\r\nPrefer: wait=1\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
            connection.sendall(head + body)
    wait_until(lambda: program.metric('facefleet_gateway_accepted_total{op="match"}') == 10, "all are accepted")
    wait_until(lambda: program.metric("facefleet_gateway_waiting") == 0, "nobody waits any more")
    assert api.post_form("/v1/match", pair()).status == 202


def test_nothing_accepted_is_lost(alone, fleet, broker):
    """Clients that stay and clients that leave, streams, and connections to the broker that break in the middle."""
    api, program = alone
    content_type, body = form({"image_a": b"a" * 20000, "image_b": b"b" * 20000})
    head = f"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    accepted = []

    def client(number):
        for i in range(40):
            if i % 8 == number:
                with socket.create_connection(("127.0.0.1", api.port), timeout=60) as leaving:
                    leaving.sendall(head.encode() + body[: 1000 * i])
            if i % 10 == number:
                api.events("/v1/events").close()
            answer = api.ask("POST", "/v1/match", body, content_type)
            if answer.status == 202:
                accepted.append(answer.json["task_id"])
            else:
                assert answer.code in ("unconfirmed", "broker_unavailable"), answer.body
                wait_until(lambda: program.get("/readyz")[0] == 200, "the broker is back")

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        clients = [pool.submit(client, number) for number in range(6)]
        for share in (40, 120):
            wait_until(lambda: len(accepted) >= share, f"{share} are accepted")
            broker.command("ctl", "close_all_connections", "--vhost", fleet.vhost, "test")
        for done in clients:
            done.result()
    assert len(set(accepted)) == len(accepted) >= 120
    assert program.terminate() == 0
    reader = Client(fleet.url)
    queued = set()
    while True:
        method, properties, _ = reader.channel.basic_get("facefleet.jobs.batch", auto_ack=True)
        if not method:
            break
        queued.add(properties.message_id)
    reader.close()
    assert set(accepted) <= queued, "what was confirmed is there"


def test_a_polite_stop_answers_who_waits(alone):
    api, program = alone
    content_type, body = form(pair())
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        connection.sendall(
            f"POST /v1/match HTTP/1.1\r\nHost: x\r\nPrefer: wait=30\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body
        )
        wait_until(lambda: program.metric('facefleet_gateway_accepted_total{op="match"}') == 1, "it is accepted")
        began = time.monotonic()
        assert program.terminate() == 0
        assert re.match(rb"HTTP/1.1 202 ", connection.recv(65536))
        assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"gateway__listen": "0.0.0.0:0"}, "gateway.allow_anonymous"),
        ({"gateway__listen": "127.0.0.1"}, "127.0.0.1"),
        ({"gateway__cert_file": "/nowhere.pem"}, "/nowhere.pem"),
    ],
)
def test_settings_it_does_not_start_with(fleet, settings, words):
    program = fleet.gateway(**settings)
    fleet.programs.remove(program)  # it is meant to fail
    assert program.process.wait(timeout=60) == 2
    assert words in program.log()
