"""The callback service alone: replies are put on the exchange by hand, so that what it does with each is seen exactly."""

import base64
import json
import os
import sqlite3
import threading
import time

import msgpack
import pytest

from endpoint import Endpoint, signature
from fleet import wait_until
from jobs import new_task_id
from replies import PARKED, Replies, reply

SECRET = "whsec_" + base64.b64encode(bytes(range(40))).decode()
CALLBACKS = "facefleet.callbacks"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
LOOPBACK = {"callback__secret": SECRET, "callback__allow": "127.0.0.0/8"}


@pytest.fixture
def replies(fleet):
    """Start a service before anything is published: it declares the queues."""
    replies = Replies(fleet.url)
    yield replies
    replies.close()


@pytest.fixture
def other_endpoint():
    """At another port, and so another endpoint."""
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


class GatedEndpoint(Endpoint):
    """Answers nobody until `gate` is set."""

    def __init__(self):
        self.gate = threading.Event()
        super().__init__()

    def next_answer(self, path):
        self.gate.wait()
        return super().next_answer(path)

    def close(self):
        self.gate.set()
        super().close()


@pytest.fixture
def gated_endpoint():
    endpoint = GatedEndpoint()
    yield endpoint
    endpoint.close()


def serve(fleet, **settings):
    return fleet.callback(**{**LOOPBACK, "callback__schedule": "200ms, 400ms", **settings}).wait_ready()


def wait_for(endpoint, path, count=1):
    wait_until(lambda: len(endpoint.received(path)) >= count, f"{count} requests on {path}")
    return endpoint.received(path)


def stop_with_nothing_left(service, replies):
    """Nothing was in hand, waiting or on its way back: a stopped service holds nothing that a count would not see."""
    assert service.terminate() == 0
    queues = [CALLBACKS, "facefleet.retry.callbacks.200", "facefleet.retry.callbacks.400"]
    assert [replies.count(queue) for queue in queues] == [0, 0, 0]


def ask_to_stop(service):
    """Returns when the first signal has been seen."""
    service.process.terminate()
    wait_until(lambda: '"stopping' in service.log(), "it has seen the signal")


def wait_counted(service, series, value):
    """Waits until a series of the metrics page has this value."""

    def read():
        lines = service.get("/metrics")[1].splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(series + " ")), None)

    wait_until(lambda: read() == value, f"{series} is {value}")


def test_what_is_posted(fleet, replies, endpoint):
    service = serve(fleet)
    parent = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
    task_id = replies.reply(endpoint.url + "/hook", headers={"traceparent": parent, "tracestate": "a=1,b=2"})
    request = wait_for(endpoint, "/hook")[0]
    assert request.headers["webhook-id"] == task_id
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
    assert request.headers["webhook-signature"] == signature(SECRET, request)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("facefleet/")
    assert request.headers["tracestate"] == "a=1,b=2"
    version, trace_id, span_id, flags = request.headers["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE_ID, "01") and span_id != "00f067aa0ba902b7"
    assert request.json["type"] == "task.succeeded"
    assert request.json["timestamp"] == "2026-11-23T14:53:07.123Z"
    assert request.json["data"]["task_id"] == task_id and request.json["data"]["result"]["matched"] is True
    stop_with_nothing_left(service, replies)


def test_messagepack_and_failure(fleet, replies, endpoint):
    serve(fleet)
    task_id = new_task_id()
    body = msgpack.packb(reply(task_id, "final_failed"))
    replies.reply(endpoint.url + "/hook", body, "application/msgpack", task_id)
    posted = wait_for(endpoint, "/hook")[0]
    assert posted.json["type"] == "task.final_failed"
    assert posted.json["data"]["error"]["code"] == "no_face"


def test_a_forged_tracestate_adds_no_header(fleet, replies, endpoint):
    serve(fleet)
    headers = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01", "tracestate": "a=1\r\nx-forged: yes"}
    replies.reply(endpoint.url + "/hook", headers=headers)
    request = wait_for(endpoint, "/hook")[0]
    assert request.headers["x-forged"] is None and request.headers["tracestate"] is None


def test_each_attempt_is_signed_anew_under_the_same_id(fleet, replies, endpoint):
    service = serve(fleet)
    endpoint.plan["/flaky"] = [500, 500, 200]
    task_id = replies.reply(endpoint.url + "/flaky")
    requests = wait_for(endpoint, "/flaky", 3)
    wait_counted(service, 'facefleet_callback_attempts_total{outcome="delivered"}', 1)
    wait_counted(service, 'facefleet_callback_attempts_total{outcome="rejected"}', 2)
    wait_counted(service, "facefleet_callback_retried_total", 2)
    stop_with_nothing_left(service, replies)
    assert [request.headers["webhook-id"] for request in requests] == [task_id] * 3
    assert all(request.headers["webhook-signature"] == signature(SECRET, request) for request in requests)
    assert replies.count(PARKED) == 0
    attempts = [line for line in service.log_lines() if line.get("task_id") == task_id]
    assert [line["attempt"] for line in attempts] == [1, 2, 3]
    assert [line.get("next_delay_ms") for line in attempts] == [200, 400, None]


def test_parked_after_the_last_attempt(fleet, replies, endpoint):
    service = serve(fleet)
    url = endpoint.url + "/broken?token=secret"
    endpoint.plan["/broken?token=secret"] = [500]
    task_id = replies.reply(url)
    properties, body = replies.parked()
    assert properties.message_id == task_id and properties.type == "facefleet.reply.v1"
    assert properties.headers["facefleet-reason"] == "callback failed 3 times, lastly: HTTP 500"
    assert properties.headers["facefleet-origin"] == CALLBACKS
    assert properties.headers["facefleet-callback"] == url
    assert "facefleet-attempt" not in properties.headers, "so that a replay has the whole schedule"
    assert json.loads(body) == reply(task_id)
    assert len(endpoint.requests) == 3
    wait_counted(service, 'facefleet_callback_parked_total{cause="exhausted"}', 1)
    stop_with_nothing_left(service, replies)
    assert "token" not in service.log()


@pytest.mark.parametrize(
    "answers, requests, reason",
    [
        ([410], 1, "callback endpoint is gone: HTTP 410"),
        ([404, 410], 2, "callback endpoint is gone: HTTP 410"),
        ([{"status": 307, "headers": {"location": "/elsewhere"}}], 3, "callback failed 3 times, lastly: HTTP 307"),
    ],
)
def test_other_answers(fleet, replies, endpoint, answers, requests, reason):
    serve(fleet)
    endpoint.plan["/hook"] = answers
    replies.reply(endpoint.url + "/hook")
    properties, _ = replies.parked()
    assert properties.headers["facefleet-reason"] == reason
    assert [request.path for request in endpoint.requests] == ["/hook"] * requests


def test_an_endpoint_that_hangs_or_refuses_is_tried_again(fleet, replies, endpoint):
    service = serve(fleet, callback__timeout_ms=1000)
    endpoint.plan["/slow"] = ["hang"]
    tasks = {replies.reply(endpoint.url + "/slow"), replies.reply("http://127.0.0.1:1/")}
    parked = [replies.parked()[0] for _ in tasks]
    assert {properties.message_id for properties in parked} == tasks
    assert all("failed 3 times" in properties.headers["facefleet-reason"] for properties in parked)
    # The endpoint reads what was sent to it in its own time.
    assert len(wait_for(endpoint, "/slow", 3)) == 3
    wait_counted(service, 'facefleet_callback_attempts_total{outcome="timed_out"}', 3)
    wait_counted(service, 'facefleet_callback_attempts_total{outcome="failed"}', 3)


def test_retry_after_picks_a_longer_wait(fleet, replies, endpoint):
    service = serve(fleet, callback__schedule="100ms, 1500ms")
    busy = {"status": 429, "headers": {"retry-after": "1"}}
    endpoint.plan["/busy"] = [busy, 200]
    endpoint.plan["/never"] = [{"status": 503, "headers": {"retry-after": "86400"}}, 200]
    tasks = [replies.reply(endpoint.url + path) for path in ("/busy", "/never")]
    wait_for(endpoint, "/busy", 2)
    wait_for(endpoint, "/never", 2)
    for task_id in tasks:
        first = next(line for line in service.log_lines() if line.get("task_id") == task_id)
        assert first["next_delay_ms"] == 1500, "the shortest that is long enough, or the longest there is"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://[::1]:1/", "http://10.0.0.1/", "ftp://x/y"])
def test_what_may_not_be_called_is_parked_at_once(fleet, replies, url):
    service = serve(fleet)
    replies.reply(url)
    properties, _ = replies.parked()
    assert properties.headers["facefleet-reason"].startswith("callback refused: ")
    wait_counted(service, 'facefleet_callback_parked_total{cause="refused"}', 1)


def test_loopback_is_refused_unless_allowed(fleet, replies, endpoint):
    serve(fleet, callback__allow="")
    replies.reply(endpoint.url + "/hook")
    replies.reply(endpoint.url.replace("127.0.0.1", "localhost") + "/hook")
    for _ in range(2):
        assert replies.parked()[0].headers["facefleet-reason"].startswith("callback refused: ")
    assert endpoint.requests == []


def test_what_is_no_reply_is_parked_and_stops_nothing(fleet, replies, endpoint):
    service = serve(fleet)
    url = endpoint.url + "/hook"
    bad = [
        replies.reply(url, b"{"),
        replies.reply(url, b""),
        replies.reply(url, b"\xff\xfe", "application/msgpack"),
        replies.reply(url, json.dumps({**reply(new_task_id()), "task_id": "../../x"}).encode()),
        replies.reply(url, content_type="text/plain"),
        replies.reply(url, type="facefleet.event.v1"),
    ]
    replies.reply(None)
    good = replies.reply(url)
    parked = {properties.message_id: properties for properties, _ in (replies.parked() for _ in bad)}
    assert wait_for(endpoint, "/hook")[0].headers["webhook-id"] == good
    assert set(parked) == set(bad)
    assert all(p.headers["facefleet-reason"].startswith("callback invalid: ") for p in parked.values())
    assert len(endpoint.requests) == 1
    wait_counted(service, "facefleet_callback_unwanted_total", 1)
    wait_counted(service, 'facefleet_callback_parked_total{cause="invalid"}', len(bad))
    stop_with_nothing_left(service, replies)


def test_a_slow_endpoint_delays_no_other(fleet, replies, endpoint, other_endpoint):
    """More than the service may hold is addressed to an endpoint that never answers; the one behind gets through."""
    service = serve(fleet, callback__max_in_flight=40, callback__max_per_endpoint=4, callback__timeout_ms=60000)
    endpoint.plan["/slow"] = ["hang"]
    for _ in range(100):
        replies.reply(endpoint.url + "/slow")
    wait_for(endpoint, "/slow", 4)
    good = [replies.reply(other_endpoint.url + "/hook") for _ in range(10)]
    requests = wait_for(other_endpoint, "/hook", len(good))
    assert sorted(request.headers["webhook-id"] for request in requests) == sorted(good)
    assert len(endpoint.requests) == 4, "no more at a time than allowed"
    assert 'facefleet_callback_deferred_total 0' not in service.get("/metrics")[1]
    ask_to_stop(service)
    assert service.terminate() == 0, "a second signal breaks off the four that hang"
    queues = (CALLBACKS, "facefleet.retry.callbacks.200")
    wait_until(lambda: sum(replies.count(queue) for queue in queues) == 100, "every one is still there")


def test_killed_in_the_middle_it_delivers_under_the_same_id(fleet, replies, endpoint):
    service = serve(fleet)
    endpoint.plan["/hook"] = ["hang", 200]
    task_id = replies.reply(endpoint.url + "/hook")
    wait_for(endpoint, "/hook")
    service.kill()
    service = serve(fleet)
    requests = wait_for(endpoint, "/hook", 2)
    stop_with_nothing_left(service, replies)
    assert [request.headers["webhook-id"] for request in requests] == [task_id] * 2


def test_a_polite_stop_finishes_what_is_under_way(fleet, replies, gated_endpoint):
    service = serve(fleet, callback__max_per_endpoint=2)
    tasks = {replies.reply(gated_endpoint.url + "/hook") for _ in range(6)}
    wait_for(gated_endpoint, "/hook", 2)
    ask_to_stop(service)
    gated_endpoint.gate.set()
    assert service.process.wait(timeout=60) == 0
    assert len(gated_endpoint.requests) == 2, "nothing new was begun"
    wait_until(lambda: replies.count(CALLBACKS) == 4, "what was delivered is acked, the rest is back")
    service = serve(fleet)
    wait_for(gated_endpoint, "/hook", 6)
    stop_with_nothing_left(service, replies)
    assert sorted(request.headers["webhook-id"] for request in gated_endpoint.requests) == sorted(tasks)


def test_a_broken_connection_asks_no_endpoint_twice(fleet, gated_endpoint):
    """What was being posted when the connection broke is acked on the next one."""
    service = serve(fleet, callback__timeout_ms=120000)
    replies = Replies(fleet.url)
    task_id = replies.reply(gated_endpoint.url + "/hook")
    wait_for(gated_endpoint, "/hook")
    replies.close()
    fleet.broker.command("ctl", "close_all_connections", "--vhost", fleet.vhost, "test")
    wait_counted(service, "facefleet_callback_redelivered_total", 1)
    gated_endpoint.gate.set()
    wait_counted(service, 'facefleet_callback_attempts_total{outcome="delivered"}', 1)
    replies = Replies(fleet.url)
    stop_with_nothing_left(service, replies)
    replies.close()
    assert [request.headers["webhook-id"] for request in gated_endpoint.requests] == [task_id]


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"callback__secret": ""}, "callback.secret"),
        ({"callback__secret": "whsec_c2hvcnQ="}, "24 to 64"),
        ({"callback__schedule": "5s, soon"}, '"soon"'),
        ({"callback__allow": "10.0.0.0/99"}, "10.0.0.0/99"),
    ],
)
def test_settings_it_does_not_start_with(fleet, settings, words):
    service = fleet.callback(**{**LOOPBACK, **settings})
    fleet.programs.remove(service)  # it is meant to fail
    assert service.process.wait(timeout=60) == 2
    assert words in service.log().replace('\\"', '"')
    assert "c2hvcnQ" not in service.log()


# --- endpoints that the store knows -----------------------------------------------------------------


def endpoints(fleet, *arguments):
    done = fleet.shell("endpoints", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def signed_by(replies, endpoint, path):
    """Posts one, and says what it was signed with: a set of signatures, and the request."""
    count = len(endpoint.received(path))
    replies.reply(endpoint.url + path)
    request = wait_for(endpoint, path, count + 1)[count]
    return request.headers["webhook-signature"].split(" "), request


def wait_signed_by(replies, endpoint, path, secrets):
    """Posts until the service knows these secrets, in this order."""

    def is_signed():
        signatures, request = signed_by(replies, endpoint, path)
        return signatures == [signature(secret, request) for secret in secrets]

    wait_until(is_signed, f"{path} is signed with {len(secrets)} secrets")


def test_an_endpoint_has_secrets_of_its_own(fleet, replies, endpoint):
    fleet.use_store()
    first = endpoints(fleet, "secret", endpoint.url + "/hooks")
    service = serve(fleet)
    for path, secret in (("/hooks", first), ("/hooks/ann?x=y", first), ("/hooks2", SECRET), ("/", SECRET)):
        signatures, request = signed_by(replies, endpoint, path)
        assert signatures == [signature(secret, request)], path
    second = endpoints(fleet, "secret", endpoint.url + "/hooks", "--rotate")
    wait_signed_by(replies, endpoint, "/hooks", [second, first])
    endpoints(fleet, "remove", endpoint.url + "/hooks")
    wait_signed_by(replies, endpoint, "/hooks", [SECRET])
    stop_with_nothing_left(service, replies)
    assert first not in service.log() and second not in service.log()


def test_an_endpoint_that_is_gone_gets_no_more(fleet, replies, endpoint):
    fleet.use_store()
    service = serve(fleet)
    endpoint.plan["/hook?token=1"] = [410]
    replies.reply(endpoint.url + "/hook?token=1")
    assert replies.parked()[0].headers["facefleet-reason"] == "callback endpoint is gone: HTTP 410"
    replies.reply(endpoint.url + "/hook")
    reason = replies.parked()[0].headers["facefleet-reason"]
    assert reason == "callback disabled: its endpoint is switched off: it answered HTTP 410"
    assert endpoint.received("/hook") == []
    wait_counted(service, 'facefleet_callback_parked_total{cause="disabled"}', 1)
    wait_until(lambda: endpoint.url + "/hook" in endpoints(fleet), "the store knows it")
    listed = json.loads(endpoints(fleet))
    assert listed["endpoint"] == endpoint.url + "/hook" and listed["disabled_at"] and "410" in listed["reason"]
    stop_with_nothing_left(service, replies)
    serve(fleet)
    replies.reply(endpoint.url + "/hook")
    assert replies.parked()[0].headers["facefleet-reason"] == reason, "another service knows it too"
    endpoints(fleet, "enable", endpoint.url + "/hook")

    def is_posted():
        replies.reply(endpoint.url + "/hook")
        wait_until(lambda: endpoint.received("/hook") or replies.count(PARKED), "it is posted or parked")
        if replies.count(PARKED):
            replies.parked()
        return endpoint.received("/hook")

    wait_until(is_posted, "an operator enabled it")


def test_without_the_store_the_last_answer_counts(fleet, replies, endpoint):
    fleet.use_store()
    path = fleet.environment["FACEFLEET_STORE_URL"].removeprefix("sqlite:")
    own = endpoints(fleet, "secret", endpoint.url + "/")
    service = serve(fleet)
    wait_signed_by(replies, endpoint, "/hook", [own])
    with sqlite3.connect(path, timeout=30) as database:
        database.execute("ALTER TABLE callback_endpoints RENAME TO hidden")
    wait_until(lambda: "callback endpoints are not known" in service.log(), "it has seen that the store is away")
    wait_signed_by(replies, endpoint, "/hook", [own])
    assert service.is_ready()
    with sqlite3.connect(path, timeout=30) as database:
        database.execute("ALTER TABLE hidden RENAME TO callback_endpoints")
    wait_until(lambda: "callback endpoints are known again" in service.log(), "the store is back")
    stop_with_nothing_left(service, replies)


def test_a_store_without_tables_stops_nothing(fleet, replies, endpoint):
    fleet.environment["FACEFLEET_STORE_URL"] = f"sqlite:{fleet.folder}/nothing.db"
    service = serve(fleet)
    signatures, request = signed_by(replies, endpoint, "/hook")
    assert signatures == [signature(SECRET, request)]
    assert service.log().count("callback endpoints are not known") == 1
    assert not os.path.exists(f"{fleet.folder}/nothing.db"), "it is not made"
