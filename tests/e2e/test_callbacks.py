"""Callbacks: signed, repeated until they are taken, and never a danger to others."""

import base64

import pytest

from endpoint import signature
from fleet import wait_until
from jobs import match_job, photo

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD_SECRET = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()


@pytest.fixture
def service(fleet):
    fleet.worker().wait_ready()
    return fleet.callback(
        callback__secret=SECRET,
        callback__allow="127.0.0.0/8",
        callback__schedule="100ms, 100ms, 100ms",
    ).wait_ready()


def match_with_callback(client, url, **fields):
    return client.call(match_job(photo("person01_1"), photo("person01_2"), callback={"url": url}, **fields))


def wait_for(endpoint, path, count=1):
    wait_until(lambda: len(endpoint.received(path)) >= count, f"{count} requests on {path}")
    return endpoint.received(path)


def test_delivered_and_signed(service, client, endpoint):
    reply = match_with_callback(client, endpoint.url + "/hook", reference="r 1")
    request = wait_for(endpoint, "/hook")[0]
    assert request.headers["webhook-id"] == reply["task_id"]
    assert request.headers["webhook-signature"].split() == [signature(SECRET, request)]
    assert request.headers["content-type"].startswith("application/json")
    assert request.json["type"] == "task.succeeded"
    assert request.json["data"]["task_id"] == reply["task_id"]
    assert request.json["data"]["reference"] == "r 1"
    assert request.json["data"]["result"] == reply["result"]
    assert len(request.body) < 20_000


def test_failed_tasks_are_told_too(service, client, endpoint):
    job = match_job(b"not a picture", photo("person01_2"), callback={"url": endpoint.url + "/hook"})
    client.call(job)
    request = wait_for(endpoint, "/hook")[0]
    assert request.json["type"] == "task.final_failed"
    assert request.json["data"]["error"]["code"] == "image_unsupported"


def test_500_then_200(service, fleet, client, endpoint):
    endpoint.plan["/flaky"] = [500, 503, 200]
    match_with_callback(client, endpoint.url + "/flaky")
    requests = wait_for(endpoint, "/flaky", 3)
    assert len({request.headers["webhook-id"] for request in requests}) == 1
    assert all(request.headers["webhook-signature"] == signature(SECRET, request) for request in requests)
    wait_until(lambda: fleet.depth("facefleet.callbacks") == 0, "the callback is done")
    assert client.count("facefleet.dead.parked") == 0


def test_redirect_is_a_failure_and_not_followed(service, client, endpoint):
    endpoint.plan["/moved"] = [{"status": 302, "headers": {"location": endpoint.url + "/elsewhere"}}]
    match_with_callback(client, endpoint.url + "/moved")
    wait_until(lambda: client.count("facefleet.dead.parked") == 1, "the callback is parked", 60)
    assert len(endpoint.received("/moved")) == 4, "the first attempt and three more"
    assert endpoint.received("/elsewhere") == []


def test_endpoint_that_refuses(service, client):
    match_with_callback(client, "http://127.0.0.1:1/hook")
    wait_until(lambda: client.count("facefleet.dead.parked") == 1, "the callback is parked")
    properties, _ = client.next_message("facefleet.dead.parked")
    assert properties.headers["facefleet-reason"]


def test_endpoint_that_hangs_holds_up_nobody(fleet, client, endpoint, other_endpoint):
    fleet.worker().wait_ready()
    fleet.callback(
        callback__secret=SECRET,
        callback__allow="127.0.0.0/8",
        callback__max_per_endpoint=2,
        callback__max_in_flight=16,
        callback__timeout_ms=120000,
    ).wait_ready()
    endpoint.plan["/hang"] = ["hang"]
    for _ in range(8):
        match_with_callback(client, endpoint.url + "/hang")
    wait_for(endpoint, "/hang", 2)
    match_with_callback(client, other_endpoint.url + "/hook")
    wait_for(other_endpoint, "/hook")
    assert len(endpoint.received("/hang")) == 2, "both still hang, and the others wait behind them"
    endpoint.closing.set()


def test_private_address_is_refused_by_default(fleet, client, endpoint):
    fleet.worker().wait_ready()
    fleet.callback(callback__secret=SECRET).wait_ready()
    match_with_callback(client, endpoint.url + "/hook")
    wait_until(lambda: client.count("facefleet.dead.parked") == 1, "the callback is parked")
    assert endpoint.requests == []


def test_both_keys_sign_while_they_rotate(fleet, client, endpoint):
    fleet.worker().wait_ready()
    fleet.callback(callback__secret=f"{SECRET} {OLD_SECRET}", callback__allow="127.0.0.0/8").wait_ready()
    match_with_callback(client, endpoint.url + "/hook")
    request = wait_for(endpoint, "/hook")[0]
    assert request.headers["webhook-signature"].split() == [signature(SECRET, request), signature(OLD_SECRET, request)]


def test_service_that_comes_later_delivers(fleet, client, endpoint):
    """The queue is there from the worker's first reply on, so nothing is lost while no service runs."""
    fleet.callback(callback__secret=SECRET, callback__allow="127.0.0.0/8").wait_ready().terminate()
    fleet.worker().wait_ready()
    match_with_callback(client, endpoint.url + "/hook")
    fleet.callback(callback__secret=SECRET, callback__allow="127.0.0.0/8").wait_ready()
    wait_for(endpoint, "/hook")


def test_callback_service_killed_mid_way_loses_nothing(fleet, client, endpoint):
    settings = {"callback__secret": SECRET, "callback__allow": "127.0.0.0/8"}
    fleet.worker().wait_ready()
    service = fleet.callback(**settings).wait_ready()
    tasks = set()
    for count in range(40):
        tasks.add(match_with_callback(client, endpoint.url + "/hook")["task_id"])
        if count == 20:
            service.kill()
    fleet.callback(**settings).wait_ready()
    wait_until(
        lambda: {request.headers["webhook-id"] for request in endpoint.received("/hook")} == tasks,
        "every callback was delivered",
    )
