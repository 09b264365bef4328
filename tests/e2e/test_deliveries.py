"""Attempts to deliver a callback are part of the task's history, from the endpoint to whoever asks."""

import base64
import json

import pytest

from fleet import wait_until
from http_support import Api
from jobs import photo
from test_gateway_openapi import check

SECRET = "whsec_" + base64.b64encode(bytes(range(40))).decode()


@pytest.fixture
def api(fleet):
    fleet.use_store()
    program = fleet.gateway().wait_ready()
    fleet.tracker().wait_ready()
    fleet.callback(
        callback__secret=SECRET, callback__allow="127.0.0.0/8", callback__schedule="100ms, 200ms"
    ).wait_ready()
    fleet.worker().wait_ready()
    return Api(program.port)


def submit(api, url):
    fields = {"image_a": photo("person01_1"), "image_b": photo("person01_2"), "callback": url}
    answer = api.post_form("/v1/match", fields)
    assert answer.status == 202, answer.body
    return answer.json["task_id"]


def wait_for_deliveries(api, task_id, count):
    """The deliveries of a task, once there are so many."""

    def look():
        answer = api.get(f"/v1/tasks/{task_id}")
        check(answer, "/v1/tasks/{id}", "get")
        assert b"secret" not in answer.body
        deliveries = answer.json["deliveries"]
        return deliveries if len(deliveries) >= count else None

    return wait_until(look, f"{count} deliveries are recorded")


def outcomes(deliveries):
    return [(d["outcome"], d["attempt"], d["http_status"], d["error"]) for d in deliveries]


def test_a_failure_and_a_success(fleet, api, endpoint):
    endpoint.plan["/hook?token=secret"] = [503, 204]
    task_id = submit(api, endpoint.url + "/hook?token=secret")
    deliveries = wait_for_deliveries(api, task_id, 2)
    assert outcomes(deliveries) == [("retrying", 1, 503, "HTTP 503"), ("delivered", 2, 204, None)]
    first, last = deliveries
    assert first["origin"] == last["origin"] == endpoint.url
    assert first["at"] < first["next_attempt_at"] <= last["at"] and last["next_attempt_at"] is None
    assert first["duration_ms"] >= 0 and last["duration_ms"] >= 0

    done = fleet.shell("task", task_id, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["deliveries"] == deliveries
    text = fleet.shell("task", task_id).stdout
    assert "callback retrying  attempt 1" in text and "callback delivered  attempt 2" in text and endpoint.url in text
    assert "secret" not in text + done.stdout


def test_an_endpoint_that_is_gone(api, endpoint):
    endpoint.plan["/hook"] = [410]
    gone = "callback endpoint is gone: HTTP 410"
    assert outcomes(wait_for_deliveries(api, submit(api, endpoint.url + "/hook"), 1)) == [("parked", 1, 410, gone)]
    disabled = "callback disabled: its endpoint is switched off: it answered HTTP 410"
    (given_up,) = wait_for_deliveries(api, submit(api, endpoint.url + "/hook"), 1)
    assert outcomes([given_up]) == [("parked", 0, None, disabled)]
    assert given_up["duration_ms"] is None and given_up["origin"] == endpoint.url


def test_an_endpoint_that_never_answers_well(api, endpoint):
    endpoint.plan["/hook"] = [500]
    deliveries = wait_for_deliveries(api, submit(api, endpoint.url + "/hook"), 3)
    assert [d["outcome"] for d in deliveries] == ["retrying", "retrying", "parked"]
    assert deliveries[-1]["error"] == "callback failed 3 times, lastly: HTTP 500"


def test_nobody_need_listen(fleet, endpoint, client_of):
    """Without any queue for reports callbacks are delivered all the same."""
    service = fleet.callback(callback__secret=SECRET, callback__allow="127.0.0.0/8").wait_ready()
    fleet.worker().wait_ready()
    job = {"op": "match", "image_a": {"data": b"x"}, "image_b": {"data": b"y"}, "callback": {"url": endpoint.url + "/hook"}}
    client_of(fleet).publish(job)
    wait_until(lambda: endpoint.received("/hook"), "it is delivered")
    wait_until(lambda: fleet.depth("facefleet.callbacks") == 0, "it is done")
    assert service.metric("facefleet_callback_unreported_total") == 0
