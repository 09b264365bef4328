"""Jobs over HTTP that run later, and the schedules that they become."""

import base64
import json
import time

import pytest

from gateway_support import A, pair, wait_finished
from http_support import Api, make_key
from jobs import photo


@pytest.fixture
def calendar(fleet):
    """A gateway whose scheduler is not there yet."""
    fleet.use_store()
    return fleet, Api(fleet.gateway().wait_ready().port)


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_a_job_that_runs_later(calendar):
    fleet, api = calendar
    answer = api.post_form("/v1/match", pair(reference="r", delay_ms="1"))
    assert answer.status == 202 and answer.json["state"] == "scheduled", answer.body
    path = answer.headers["location"]
    assert path == "/v1/tasks/" + answer.json["task_id"]
    shown = api.get(path).json
    assert (shown["state"], shown["next_attempt_at"]) == ("scheduled", answer.json["run_at"])
    assert (shown["op"], shown["history"], shown["reply"]) == ("match", [], None)
    assert fleet.depth("facefleet.jobs.batch") == 0
    events = api.events(path + "/events")
    fleet.scheduler().wait_ready()
    fleet.tracker().wait_ready()
    fleet.worker().wait_ready()
    assert events.ended.wait(60) and events.states(answer.json["task_id"])[-1] == "succeeded"
    done = wait_finished(api, answer.json["task_id"])
    assert done["state"] == "succeeded" and done["reference"] == "r" and done["reply"]["result"]["matched"] is True


def test_a_job_of_json_at_a_time(calendar):
    _, api = calendar
    body = {"image_a": {"data": base64.b64encode(photo(A)).decode()}, "run_at": iso(3600)}
    answer = api.post_json("/v1/users/ann/faces", body)
    assert answer.status == 202 and answer.json["state"] == "scheduled", answer.body
    assert answer.json["run_at"].split(".")[0] + "Z" == body["run_at"]
    shown = api.get(answer.headers["location"]).json
    assert (shown["state"], shown["user_id"], shown["op"]) == ("scheduled", "ann", "enroll")


def test_a_scheduled_job_is_cancelled(calendar):
    fleet, api = calendar
    path = api.post_form("/v1/match", pair(delay_ms="3600000")).headers["location"]
    assert len(fleet.shell("schedule", "list", "--json").stdout.splitlines()) == 1
    other = Api(fleet.gateway().wait_ready().port)
    answer = other.ask("DELETE", path)
    assert answer.status == 200 and answer.json["error"]["code"] == "cancelled", answer.body
    assert answer.json["op"] == "match"
    assert fleet.shell("schedule", "list", "--json").stdout == "", "it does not run any more"
    assert api.get(path).json["error"]["code"] == "cancelled"


def test_a_repeated_request_is_scheduled_once(calendar):
    fleet, api = calendar

    def send(delay):
        return api.post_form("/v1/match", pair(delay_ms=delay), idempotency_key="k")

    first = send("3600000")
    assert first.status == 202, first.body
    again = send("3600000")
    assert again.status == 202 and again.json["task_id"] == first.json["task_id"], again.body
    assert send("3600001").code == "idempotency_reused", "another time is another request"
    assert len(fleet.shell("schedule", "list", "--json").stdout.splitlines()) == 1


@pytest.mark.parametrize(
    "fields, field",
    [
        ({"delay_ms": "-1"}, "delay_ms"),
        ({"delay_ms": "1.5"}, "delay_ms"),
        ({"delay_ms": "1e30"}, "delay_ms"),
        ({"delay_ms": "31622400001"}, "delay_ms"),
        ({"run_at": "tomorrow"}, "run_at"),
        ({"run_at": iso(-120)}, "run_at"),
        ({"run_at": iso(367 * 86400)}, "run_at"),
        ({"run_at": iso(60), "delay_ms": "1"}, "run_at"),
    ],
)
def test_times_that_are_refused(api, fields, field):
    answer = api.post_form("/v1/match", pair(**fields))
    assert (answer.status, answer.code, answer.json.get("field")) == (400, "invalid_job", field), answer.body
    if field == "delay_ms":
        body = {"image_a": {"url": "https://x/"}, "image_b": {"url": "https://x/"}, field: json.loads(fields[field])}
        assert api.post_json("/v1/match", body).json["field"] == field


def test_keys_that_may_schedule(guarded):
    fleet, program = guarded
    plain = Api(program.port, make_key(fleet, "plain", "--scopes", "match"))
    planner = Api(program.port, make_key(fleet, "planner", "--scopes", "match,schedule"))
    assert plain.post_form("/v1/match", pair(delay_ms="60000")).code == "forbidden"
    path = planner.post_form("/v1/match", pair(delay_ms="60000")).headers["location"]
    assert planner.get(path).json["state"] == "scheduled"
    assert plain.get(path).code == "task_not_found" and plain.ask("DELETE", path).code == "task_not_found"


def test_schedules_are_shown_and_removed(guarded):
    fleet, program = guarded
    planner, other, console, plain = (
        Api(program.port, make_key(fleet, name, "--scopes", scopes))
        for name, scopes in (
            ("planner", "match,schedule"),
            ("other", "match,schedule"),
            ("console", "schedule,read_all"),
            ("plain", "match"),
        )
    )
    ids = [planner.post_form("/v1/match", pair(delay_ms="3600000")).json["task_id"] for _ in range(3)]
    first = planner.get("/v1/schedules?limit=2").json
    rest = planner.get("/v1/schedules?limit=2&cursor=" + first["next"]).json
    assert [s["schedule_id"] for s in first["schedules"] + rest["schedules"]] == sorted(ids) and rest["next"] is None
    assert other.get("/v1/schedules").json["schedules"] == [] and len(console.get("/v1/schedules").json["schedules"]) == 3
    assert plain.get("/v1/schedules").code == "forbidden"
    assert planner.get("/v1/schedules?cursor=x").json["field"] == "cursor"
    path = f"/v1/schedules/{ids[0]}"
    assert planner.get(path).json["task_id"] == ids[0]
    assert other.get(path).code == other.ask("DELETE", path).code == "schedule_not_found"
    assert console.get(path).status == 200 and console.ask("DELETE", path).code == "forbidden"
    assert planner.ask("DELETE", path).json["schedule_id"] == ids[0]
    assert planner.ask("DELETE", path).code == "schedule_not_found"
    assert planner.get(f"/v1/tasks/{ids[0]}").code == "task_not_found"
